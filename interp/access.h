/* interp/access.h: the interpreter's accesses to guest memory.
 *
 * Owns: the instructions that touch guest memory on behalf of a micro-op, as assembly so that the
 * micro-op's address is in rbx at the one instruction that may fault, with all slots in memory.
 *
 * These are macros because a function's parameter would be a copy of u: the caller's u is a local
 * register variable in rbx, and only as such is it an operand that the compiler need not move.
 *
 * Threading: accesses are single host instructions, so naturally aligned ones are atomic.
 */
#ifndef DRAGOMAN_INTERP_ACCESS_H
#define DRAGOMAN_INTERP_ACCESS_H

#include "uop/uop.h"

#define ACCESS_LOAD(addr, insn, operand)                                                    \
    ({                                                                                      \
        uint64_t v_;                                                                        \
        __asm__ volatile(insn " (%1), " operand : "=r"(v_) : "r"(addr), "r"(u) : "memory"); \
        v_;                                                                                 \
    })
#define ACCESS_ld_s8(addr) ACCESS_LOAD(addr, "movsbq", "%0")
#define ACCESS_ld_u8(addr) ACCESS_LOAD(addr, "movzbl", "%k0")
#define ACCESS_ld_s16(addr) ACCESS_LOAD(addr, "movswq", "%0")
#define ACCESS_ld_u16(addr) ACCESS_LOAD(addr, "movzwl", "%k0")
#define ACCESS_ld_s32(addr) ACCESS_LOAD(addr, "movslq", "%0")
#define ACCESS_ld_u32(addr) ACCESS_LOAD(addr, "movl", "%k0")
#define ACCESS_ld_64(addr) ACCESS_LOAD(addr, "movq", "%0")

#define ACCESS_STORE(addr, v, insn, operand) \
    __asm__ volatile(insn " " operand ", (%1)" : : "r"(v), "r"(addr), "r"(u) : "memory")
#define ACCESS_st_8(addr, v) ACCESS_STORE(addr, v, "movb", "%b0")
#define ACCESS_st_16(addr, v) ACCESS_STORE(addr, v, "movw", "%w0")
#define ACCESS_st_32(addr, v) ACCESS_STORE(addr, v, "movl", "%k0")
#define ACCESS_st_64(addr, v) ACCESS_STORE(addr, v, "movq", "%0")

/* 128 bits between guest memory and a 16-byte aligned host place. */
#define ACCESS_ld_v128(addr, to)                                \
    __asm__ volatile("movdqu (%0), %%xmm0; movdqa %%xmm0, (%1)" \
                     :                                          \
                     : "r"(addr), "r"(to), "r"(u)               \
                     : "xmm0", "memory")
#define ACCESS_st_v128(addr, from)                              \
    __asm__ volatile("movdqa (%1), %%xmm0; movdqu %%xmm0, (%0)" \
                     :                                          \
                     : "r"(addr), "r"(from), "r"(u)             \
                     : "xmm0", "memory")

/* A store that changes nothing. */
#define ACCESS_TOUCH(addr) \
    __asm__ volatile("lock orb $0, (%0)" : : "r"(addr), "r"(u) : "memory", "cc")

/* Atomic accesses; the address is aligned and T the unsigned type. The value is the old one. */
#define ACCESS_GET(T, addr)                                                         \
    ({                                                                              \
        T v_;                                                                       \
        __asm__ volatile("mov (%1), %0" : "=r"(v_) : "r"(addr), "r"(u) : "memory"); \
        v_;                                                                         \
    })
#define ACCESS_CAS(T, addr, old, new)                   \
    ({                                                  \
        T old_ = (old), new_ = (new);                   \
        __asm__ volatile("lock cmpxchg %2, (%1)"        \
                         : "+a"(old_)                   \
                         : "r"(addr), "r"(new_), "r"(u) \
                         : "memory", "cc");             \
        old_;                                           \
    })
#define ACCESS_RMW_INSN(T, addr, value, insn)                                               \
    ({                                                                                      \
        T v_ = (value);                                                                     \
        __asm__ volatile(insn " %0, (%1)" : "+r"(v_) : "r"(addr), "r"(u) : "memory", "cc"); \
        v_;                                                                                 \
    })
#define ACCESS_swap(T, addr, value) ACCESS_RMW_INSN(T, addr, value, "xchg")
#define ACCESS_add(T, addr, value) ACCESS_RMW_INSN(T, addr, value, "lock xadd")

/* The operations that x86 has no instruction for, as a loop. x is the value in memory. */
#define ACCESS_RMW(T, addr, value, expr)                         \
    ({                                                           \
        T y = (value), x = ACCESS_GET(T, addr), seen_;           \
        while ((seen_ = ACCESS_CAS(T, addr, x, (T)(expr))) != x) \
            x = seen_;                                           \
        x;                                                       \
    })
#define ACCESS_SIGNED_uint8_t int8_t
#define ACCESS_SIGNED_uint16_t int16_t
#define ACCESS_SIGNED_uint32_t int32_t
#define ACCESS_SIGNED_uint64_t int64_t
#define ACCESS_and(T, addr, value) ACCESS_RMW(T, addr, value, x &y)
#define ACCESS_or(T, addr, value) ACCESS_RMW(T, addr, value, x | y)
#define ACCESS_xor(T, addr, value) ACCESS_RMW(T, addr, value, x ^ y)
#define ACCESS_min(T, addr, value) \
    ACCESS_RMW(T, addr, value, (ACCESS_SIGNED_##T)x < (ACCESS_SIGNED_##T)y ? x : y)
#define ACCESS_max(T, addr, value) \
    ACCESS_RMW(T, addr, value, (ACCESS_SIGNED_##T)x > (ACCESS_SIGNED_##T)y ? x : y)
#define ACCESS_minu(T, addr, value) ACCESS_RMW(T, addr, value, x < y ? x : y)
#define ACCESS_maxu(T, addr, value) ACCESS_RMW(T, addr, value, x > y ? x : y)

/* cmpxchg16b needs rbx itself: the caller says in cpu->at and cpu->in_mem where it is. old (two
 * words) is replaced by what was found. */
#define ACCESS_CAS_128(addr, old, new)                                                  \
    do {                                                                                \
        uint64_t low_ = (new)[0];                                                       \
        __asm__ volatile("xchg %%rbx, %%rsi; lock cmpxchg16b (%%rdi); mov %%rsi, %%rbx" \
                         : "+a"((old)[0]), "+d"((old)[1]), "+S"(low_)                   \
                         : "D"(addr), "c"((new)[1])                                     \
                         : "memory", "cc");                                             \
    } while (0)

#endif
