// Every schema that the program prints: of recipes and results, and of what commands alone print.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "recipes/schema.h"

namespace weightsmith::internal {

// Of what commands alone print: each is defined beside the tables of its fields. Without "$schema".
std::string AdapterFamiliesSchema();
std::string ArchitecturesSchema();
std::string BlocksSchema();
std::string HashesSchema();
std::string MetadataSchema();
std::string OperatorsSchema();
std::string ProgressSchema();
std::string VerdictsSchema();

/// Sorted by name.
std::vector<NamedSchema> AllSchemas();

/// Throws kUsage, with the nearest name, for an unknown one.
NamedSchema SchemaNamed(std::string_view name);

}  // namespace weightsmith::internal
