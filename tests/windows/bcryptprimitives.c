/* bcryptprimitives.dll for wine before 9, which has none: ProcessPrng, all that programs of Rust take from it. For tests. */
#include <windows.h>
#include <ntsecapi.h>

#define MOST_AT_ONCE 0x40000000

__declspec(dllexport) BOOL WINAPI ProcessPrng(PBYTE bytes, SIZE_T length) {
    while (length) {
        ULONG part = length > MOST_AT_ONCE ? MOST_AT_ONCE : (ULONG)length;
        if (!RtlGenRandom(bytes, part)) return FALSE;
        bytes += part;
        length -= part;
    }
    return TRUE;
}
