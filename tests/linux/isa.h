/* What the programs of tests/linux need of the instruction set that they are compiled for. */
#ifndef DRAGOMAN_TESTS_LINUX_ISA_H
#define DRAGOMAN_TESTS_LINUX_ISA_H

#if defined __riscv
#include "tests/linux/isa_rv64.h"
#elif defined __aarch64__
#include "tests/linux/isa_a64.h"
#elif defined __x86_64__
#include "tests/linux/isa_x64.h"
#endif

#endif
