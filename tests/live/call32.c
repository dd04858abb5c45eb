/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Opens a file, or connects to an address, by 32-bit system calls, as a way around who looks at
 * 64-bit ones alone. The program itself is a 64-bit one; what the calls read lies below 4 GiB.
 *
 *   call32 open PATH
 *   call32 connect ADDRESS PORT     by socketcall
 *   call32 call NUMBER [WORD...]    any; up to four words, texts or (=7) numbers
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { NR_OPEN = 5, NR_SOCKETCALL = 102, CALL_SOCKET = 1, CALL_CONNECT = 3 };

static int call4(uint32_t nr, const uint32_t word[4])
{
    long res = nr;

    __asm__ volatile("int $0x80"
                     : "+a"(res)
                     : "b"((unsigned long)word[0]), "c"((unsigned long)word[1]),
                       "d"((unsigned long)word[2]), "S"((unsigned long)word[3])
                     : "memory", "r8", "r9", "r10", "r11");
    return (int)res;
}

static int call(uint32_t nr, uint32_t a, uint32_t b, uint32_t c)
{
    long res = nr;

    __asm__ volatile("int $0x80"
                     : "+a"(res)
                     : "b"((unsigned long)a), "c"((unsigned long)b), "d"((unsigned long)c)
                     : "memory", "r8", "r9", "r10", "r11");
    return (int)res;
}

static uint32_t low(const void *p)
{
    return (uint32_t)(uintptr_t)p;
}

static int connect32(char *page, const char *address, int port)
{
    struct sockaddr_in *to = (struct sockaddr_in *)page;
    uint32_t *args = (uint32_t *)(page + 4096 - 3 * sizeof(*args)); /* nothing behind them */
    int fd;

    args[0] = AF_INET;
    args[1] = SOCK_STREAM;
    args[2] = 0;
    fd = call(NR_SOCKETCALL, CALL_SOCKET, low(args), 0);
    to->sin_family = AF_INET;
    to->sin_port = htons((uint16_t)port);
    if (inet_pton(AF_INET, address, &to->sin_addr) != 1)
        return -1;
    args[0] = (uint32_t)fd;
    args[1] = low(to);
    args[2] = sizeof(*to);
    return call(NR_SOCKETCALL, CALL_CONNECT, low(args), 0);
}

static int call_words(char *page, char **argv)
{
    uint32_t word[4] = {0};

    for (int i = 0; argv[i + 1] && i < 4; i++) {
        char *at = page + (size_t)i * 512;

        if (argv[i + 1][0] == '=') {
            word[i] = (uint32_t)strtoul(argv[i + 1] + 1, NULL, 0);
            continue;
        }
        snprintf(at, 512, "%s", argv[i + 1]);
        word[i] = low(at);
    }
    return call4((uint32_t)strtoul(argv[0], NULL, 10), word);
}

int main(int argc, char **argv)
{
    char *page =
        mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
    int res = -1;

    if (page == MAP_FAILED || argc < 3)
        return 2;
    if (strcmp(argv[1], "call") == 0) {
        res = call_words(page, argv + 2);
    } else if (strcmp(argv[1], "open") == 0) {
        snprintf(page, 4096, "%s", argv[2]);
        res = call(NR_OPEN, low(page), 0, 0);
    } else if (argc > 3) {
        res = connect32(page, argv[2], (int)strtol(argv[3], NULL, 10));
    }
    printf("%d\n", res);
    return res < 0;
}
