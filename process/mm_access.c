/* Fault-safe access to guest memory from the runtime.
 *
 * The accesses are a few assembly routines, each with one instruction that may fault and one place
 * to go on after a fault; mm_access_fixup tells the host signal handler which.
 *
 * Threading: reentrant; not to be called with mm_lock held, since a fault takes it.
 */
#include "process/mm_internal.h"
#include "process/thread.h"
#include <string.h>

/* size_t mm_asm_copy(void *dst, const void *src, size_t n): how many bytes were not copied.
 * size_t mm_asm_strcpy(char *dst, const char *src, size_t n): copies up to and with the NUL, at
 * most n bytes; how many of n are left (0: no NUL found; the NUL is not counted), -1 on a fault.
 * int mm_asm_load32/64(void *to, uint64_t addr), mm_asm_store32/64(uint64_t addr, value): 0 or -EFAULT.
 * int mm_asm_cas64(uint64_t addr, uint64_t from, uint64_t to): the same, whether it changed anything or not. */
__asm__(".text\n"
        ".p2align 4\n"
        ".globl mm_asm_copy\n"
        ".hidden mm_asm_copy\n"
        "mm_asm_copy:\n"
        "    mov %rdx, %rcx\n"
        "mm_asm_copy_at:\n"
        "    rep movsb\n"
        "mm_asm_copy_fault:\n"
        "    mov %rcx, %rax\n"
        "    ret\n"
        ".p2align 4\n"
        "mm_asm_strcpy:\n"
        "1:  test %rdx, %rdx\n"
        "    jz 2f\n"
        "mm_asm_strcpy_at:\n"
        "    movzbl (%rsi), %eax\n"
        "    mov %al, (%rdi)\n"
        "    inc %rsi\n"
        "    inc %rdi\n"
        "    test %al, %al\n"
        "    jz 2f\n"
        "    dec %rdx\n"
        "    jmp 1b\n"
        "2:  mov %rdx, %rax\n"
        "    ret\n"
        "mm_asm_strcpy_fault:\n"
        "    mov $-1, %rax\n"
        "    ret\n"
        ".p2align 4\n"
        "mm_asm_load32:\n"
        "mm_asm_load32_at:\n"
        "    movl (%rsi), %eax\n"
        "    movl %eax, (%rdi)\n"
        "    xor %eax, %eax\n"
        "    ret\n"
        ".p2align 4\n"
        "mm_asm_load64:\n"
        "mm_asm_load64_at:\n"
        "    movq (%rsi), %rax\n"
        "    movq %rax, (%rdi)\n"
        "    xor %eax, %eax\n"
        "    ret\n"
        ".p2align 4\n"
        "mm_asm_store32:\n"
        "mm_asm_store32_at:\n"
        "    movl %esi, (%rdi)\n"
        "    xor %eax, %eax\n"
        "    ret\n"
        ".p2align 4\n"
        "mm_asm_store64:\n"
        "mm_asm_store64_at:\n"
        "    movq %rsi, (%rdi)\n"
        "    xor %eax, %eax\n"
        "    ret\n"
        ".p2align 4\n"
        "mm_asm_cas64:\n"
        "    mov %rsi, %rax\n"
        "mm_asm_cas64_at:\n"
        "    lock cmpxchgq %rdx, (%rdi)\n"
        "    xor %eax, %eax\n"
        "    ret\n"
        "mm_asm_efault:\n"
        "    mov $-14, %eax\n"
        "    ret\n");

size_t mm_asm_strcpy(char *dst, const char *src, size_t n);
int mm_asm_load32(uint32_t *to, uint64_t addr);
int mm_asm_load64(uint64_t *to, uint64_t addr);
int mm_asm_store32(uint64_t addr, uint32_t v);
int mm_asm_store64(uint64_t addr, uint64_t v);
int mm_asm_cas64(uint64_t addr, uint64_t from, uint64_t to);

extern const char mm_asm_copy_at[], mm_asm_copy_fault[], mm_asm_strcpy_at[], mm_asm_strcpy_fault[],
    mm_asm_load32_at[], mm_asm_load64_at[], mm_asm_store32_at[], mm_asm_store64_at[],
    mm_asm_cas64_at[], mm_asm_efault[];

uint64_t mm_access_fixup(uint64_t host_pc)
{
    const struct {
        const char *at, *go;
    } rows[] = {
        {mm_asm_copy_at, mm_asm_copy_fault}, {mm_asm_strcpy_at, mm_asm_strcpy_fault},
        {mm_asm_load32_at, mm_asm_efault},   {mm_asm_load64_at, mm_asm_efault},
        {mm_asm_store32_at, mm_asm_efault},  {mm_asm_store64_at, mm_asm_efault},
        {mm_asm_cas64_at, mm_asm_efault},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (host_pc == (uintptr_t)rows[i].at)
            return (uintptr_t)rows[i].go;
    return mm_bulk_fixup(host_pc);
}

uint64_t mm_user_tagged(uint64_t addr)
{
    const struct thread *t = thread_self;
    return t && t->tagged_addr ? t->cpu.guest->untag(addr) : addr;
}

int mm_read(void *dst, uint64_t addr, size_t len)
{
    addr = mm_user(addr);
    if (!mm_in_range(addr, len))
        return -EFAULT;
    return mm_asm_copy(dst, mm_g2h(addr), len) ? -EFAULT : 0;
}

int mm_write(uint64_t addr, const void *src, size_t len)
{
    addr = mm_user(addr);
    if (mm_prepare_write(addr, len))
        return -EFAULT;
    return mm_asm_copy(mm_g2h(addr), src, len) ? -EFAULT : 0;
}

ssize_t mm_read_str(char *buf, size_t size, uint64_t addr)
{
    size_t n = size, left;

    addr = mm_user(addr);
    if (addr >= GUEST_ADDR_END)
        return -EFAULT;
    /* Not a byte into what is not the guest's. */
    if (n > mm_next_host(addr) - addr)
        n = mm_next_host(addr) - addr;
    if (!n)
        return size ? -EFAULT : -ENAMETOOLONG;
    left = mm_asm_strcpy(buf, mm_g2h(addr), n);
    if (left == (size_t)-1)
        return -EFAULT;
    if (!left)
        return n < size ? -EFAULT : -ENAMETOOLONG;
    return n - left;
}

int mm_read_u32(uint64_t addr, uint32_t *v)
{
    addr = mm_user(addr);
    return mm_in_range(addr, 4) ? mm_asm_load32(v, addr) : -EFAULT;
}

int mm_read_u64(uint64_t addr, uint64_t *v)
{
    addr = mm_user(addr);
    return mm_in_range(addr, 8) ? mm_asm_load64(v, addr) : -EFAULT;
}

int mm_write_u32(uint64_t addr, uint32_t v)
{
    addr = mm_user(addr);
    return !mm_prepare_write(addr, 4) ? mm_asm_store32(addr, v) : -EFAULT;
}

int mm_write_u64(uint64_t addr, uint64_t v)
{
    addr = mm_user(addr);
    return !mm_prepare_write(addr, 8) ? mm_asm_store64(addr, v) : -EFAULT;
}

int mm_cas_u64(uint64_t addr, uint64_t from, uint64_t to)
{
    addr = mm_user(addr);
    return mm_prepare_write(addr, 8) ? -EFAULT : mm_asm_cas64(addr, from, to);
}
