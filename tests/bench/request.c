/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A server and a client over loopback, in the manner of HTTP/1.0: for each request the client
 * connects, names a file and reads the answer to its end; the server accepts, reads, opens the
 * file and sends it. Usage: request COUNT FILE
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define PATH_SIZE 256
#define ANSWER_SIZE 4096

/* One request: the file that it names is sent, up to a page of it. */
static int answer(int client)
{
    char path[PATH_SIZE + 1], page[ANSWER_SIZE];
    ssize_t n = read(client, path, PATH_SIZE), sent = -1;
    int file;

    path[n > 0 ? n : 0] = '\0';
    file = open(path, O_RDONLY | O_CLOEXEC);
    n = file < 0 ? -1 : read(file, page, sizeof(page));
    if (n > 0)
        sent = write(client, page, (size_t)n);
    if (file >= 0)
        close(file);
    return n > 0 && sent == n ? 0 : -1;
}

static int serve(int server, long count)
{
    for (long i = 0; i < count; i++) {
        int client = accept(server, NULL, NULL), rc;
        if (client < 0)
            return 1;
        rc = answer(client);
        close(client);
        if (rc != 0)
            return 1;
    }
    return 0;
}

static int ask(const struct sockaddr_in *to, const char *path)
{
    char page[ANSWER_SIZE];
    struct linger now = {.l_onoff = 1, .l_linger = 0};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    ssize_t n, all = 0;

    if (fd < 0 || connect(fd, (const struct sockaddr *)to, sizeof(*to)) != 0 ||
        write(fd, path, strlen(path)) != (ssize_t)strlen(path))
        return -1;
    while ((n = read(fd, page, sizeof(page))) > 0)
        all += n;
    /* Reset: no connection stays behind in TIME_WAIT. */
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
    close(fd);
    return n == 0 && all > 0 ? 0 : -1;
}

static int ask_all(const struct sockaddr_in *to, const char *path, long count)
{
    for (long i = 0; i < count; i++)
        if (ask(to, path) != 0) {
            fprintf(stderr, "request: request %ld failed\n", i);
            return -1;
        }
    return 0;
}

int main(int argc, char **argv)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t size = sizeof(address);
    int server = socket(AF_INET, SOCK_STREAM, 0), status = 1, asked;
    long count = argc == 3 ? strtol(argv[1], NULL, 10) : 0;
    pid_t child;

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (count <= 0 || strlen(argv[2]) > PATH_SIZE || server < 0 ||
        bind(server, (struct sockaddr *)&address, size) != 0 || listen(server, 8) != 0 ||
        getsockname(server, (struct sockaddr *)&address, &size) != 0)
        return 2;
    child = fork();
    if (child == 0)
        _exit(serve(server, count));
    close(server); /* if the server ends early, the client's next connection is refused */
    asked = child < 0 ? -1 : ask_all(&address, argv[2], count);
    if (child > 0)
        waitpid(child, &status, 0);
    return asked != 0 || status != 0;
}
