/* Includes uop.def with every row kind that the includer left undefined expanding to nothing, and
 * undefines them all afterwards. No include guard: it is meant to be included many times. */
#ifndef UOP_P1
#define UOP_P1(...)
#endif
#ifndef UOP_P2
#define UOP_P2(...)
#endif
#ifndef UOP_P3
#define UOP_P3(...)
#endif
#ifndef UOP_LOAD
#define UOP_LOAD(...)
#endif
#ifndef UOP_STORE
#define UOP_STORE(...)
#endif
#ifndef UOP_AMO
#define UOP_AMO(...)
#endif
#ifndef UOP_ATOM
#define UOP_ATOM(...)
#endif
#ifndef UOP_F1
#define UOP_F1(...)
#endif
#ifndef UOP_F2
#define UOP_F2(...)
#endif
#ifndef UOP_F3
#define UOP_F3(...)
#endif
#ifndef UOP_FC
#define UOP_FC(...)
#endif
#ifndef UOP_CV
#define UOP_CV(...)
#endif
#ifndef UOP_V1
#define UOP_V1(...)
#endif
#ifndef UOP_V2
#define UOP_V2(...)
#endif
#ifndef UOP_VX
#define UOP_VX(...)
#endif
#ifndef UOP_VF1
#define UOP_VF1(...)
#endif
#ifndef UOP_VF2
#define UOP_VF2(...)
#endif
#ifndef UOP_VF3
#define UOP_VF3(...)
#endif
#ifndef UOP_VFC
#define UOP_VFC(...)
#endif
#ifndef UOP_SYS
#define UOP_SYS(...)
#endif
#ifndef UOP_TERM
#define UOP_TERM(...)
#endif
#include "uop/uop.def"
#undef UOP_P1
#undef UOP_P2
#undef UOP_P3
#undef UOP_LOAD
#undef UOP_STORE
#undef UOP_AMO
#undef UOP_ATOM
#undef UOP_F1
#undef UOP_F2
#undef UOP_F3
#undef UOP_FC
#undef UOP_CV
#undef UOP_V1
#undef UOP_V2
#undef UOP_VX
#undef UOP_VF1
#undef UOP_VF2
#undef UOP_VF3
#undef UOP_VFC
#undef UOP_SYS
#undef UOP_TERM
