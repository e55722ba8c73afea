/* What loader/'s files share about scripts.
 *
 * Threading: constants.
 */
#ifndef DRAGOMAN_LOADER_PROBE_H
#define DRAGOMAN_LOADER_PROBE_H

#include "loader/load.h"

#define LOAD_SCRIPT_DEPTH 5 /* scripts whose interpreter is a script: the kernel's limit */

#endif
