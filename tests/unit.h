/* What every cmocka test includes first: cmocka.h wants these headers before it. */
#ifndef DRAGOMAN_TESTS_UNIT_H
#define DRAGOMAN_TESTS_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#endif
