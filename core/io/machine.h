// What the machine has.
#pragma once

#include <cstdint>
#include <string>

namespace weightsmith::internal {

/// Physical cores that this process may run on; at least 1.
int PhysicalCores();

/// Threads, up to `wanted`, that this process can start now beside those that it has.
int StartableThreads(int wanted);

/// Bytes of memory that can be had without swapping.
std::uint64_t AvailableMemory();

/// The most bytes that this process has had in memory so far; 0 where the system does not say.
std::uint64_t PeakResidentMemory();

/// Differs after every start of the machine; empty where it cannot be told.
std::string BootId();

/// 32 hexadecimal digits that nothing else has.
std::string RandomIdentity();

}  // namespace weightsmith::internal
