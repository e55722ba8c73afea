/* host/x64/disasm.c: host code as text, through Zydis 3 or 4. See disasm.h. */
#include "host/x64/disasm.h"

#ifdef HAVE_ZYDIS
#include <Zydis/Zydis.h>

/* Version 4 brought the encoder, and with it operands apart from the instruction. */
#define ZYDIS_4 __has_include(<Zydis/Encoder.h>)

bool x64_disasm_available(void)
{
    return true;
}

unsigned x64_disasm_version(void)
{
    ZyanU64 v = ZydisGetVersion();
    return (unsigned)(ZYDIS_VERSION_MAJOR(v) << 8 | ZYDIS_VERSION_MINOR(v));
}

unsigned x64_disasm(char *buf, size_t size, const uint8_t *code, size_t avail, uint64_t pc)
{
    ZydisDecoder decoder;
    ZydisFormatter formatter;
    ZydisDecodedInstruction insn;

    if (size)
        *buf = 0;
    ZydisFormatterInit(&formatter, ZYDIS_FORMATTER_STYLE_INTEL);
#if ZYDIS_4
    ZydisDecodedOperand ops[ZYDIS_MAX_OPERAND_COUNT];
    ZydisDecoderInit(&decoder, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64);
    if (!ZYAN_SUCCESS(ZydisDecoderDecodeFull(&decoder, code, avail, &insn, ops)))
        return 0;
    ZydisFormatterFormatInstruction(&formatter, &insn, ops, insn.operand_count_visible, buf, size,
                                    pc, NULL);
#else
    ZydisDecoderInit(&decoder, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_ADDRESS_WIDTH_64);
    if (!ZYAN_SUCCESS(ZydisDecoderDecodeBuffer(&decoder, code, avail, &insn)))
        return 0;
    ZydisFormatterFormatInstruction(&formatter, &insn, buf, size, pc);
#endif
    return insn.length;
}
#else
bool x64_disasm_available(void)
{
    return false;
}

unsigned x64_disasm_version(void)
{
    return 0;
}

unsigned x64_disasm(char *buf, size_t size, const uint8_t *code, size_t avail, uint64_t pc)
{
    (void)code, (void)avail, (void)pc;
    if (size)
        *buf = 0;
    return 0;
}
#endif

void x64_disasm_dump(FILE *f, const uint8_t *code, size_t len, uint64_t pc)
{
    for (size_t at = 0; at < len;) {
        char text[128], bytes[48];
        unsigned n = x64_disasm(text, sizeof text, code + at, len - at, pc + at), w = 0;
        if (!n) {
            n = 1;
            snprintf(text, sizeof text, ".byte 0x%02x", code[at]);
        }
        for (unsigned i = 0; i < n && w + 3 < sizeof bytes; i++)
            w += (unsigned)snprintf(bytes + w, sizeof bytes - w, "%02x", code[at + i]);
        fprintf(f, "%012llx  %-24s %s\n", (unsigned long long)(pc + at), bytes, text);
        at += n;
    }
}
