// All of the library: merges of model checkpoints, streamed. docs/cpp.md is its manual.
#pragma once

#include <weightsmith/checkpoint.h>
#include <weightsmith/error.h>
#include <weightsmith/info.h>
#include <weightsmith/model.h>
#include <weightsmith/plan.h>
#include <weightsmith/recipe.h>
#include <weightsmith/report.h>
#include <weightsmith/rewrite.h>
#include <weightsmith/run.h>
#include <weightsmith/scan.h>
#include <weightsmith/tables.h>
#include <weightsmith/tensor.h>
#include <weightsmith/verify.h>
#include <weightsmith/version.h>
