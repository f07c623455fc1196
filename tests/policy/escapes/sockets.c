// Sockets: the network, local sockets by path and by abstract name.
#include "escape.h"

static struct sockaddr_in server(void) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}
static int connect_by_tcp(void) {
    struct sockaddr_in address = server();
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    return fd >= 0 && connect(fd, (void *)&address, sizeof address) == 0;
}
static int send_by_udp(void) {
    struct sockaddr_in address = server();
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    return fd >= 0 && sendto(fd, "x", 1, 0, (void *)&address, sizeof address) == 1;
}
static int listen_on_tcp(void) {
    int fd = socket(AF_INET6, SOCK_STREAM, 0);
    return fd >= 0 && listen(fd, 1) == 0;
}
static int ask_the_kernel(void) { return socket(AF_NETLINK, SOCK_RAW, 0) >= 0; }
static struct sockaddr_un named(const char *path) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    return address;
}
static int connect_to_closed_path(void) {
    struct sockaddr_un address = named(in(closed_dir, "socket"));
    return connect(socket(AF_UNIX, SOCK_STREAM, 0), (void *)&address, sizeof address) == 0;
}
static int connect_through_link(void) {
    unlink(in(open_dir, "s1"));
    symlink(in(closed_dir, "socket"), in(open_dir, "s1"));
    struct sockaddr_un address = named(in(open_dir, "s1"));
    return connect(socket(AF_UNIX, SOCK_STREAM, 0), (void *)&address, sizeof address) == 0;
}
static int send_to_closed_path(void) {
    struct sockaddr_un address = named(in(closed_dir, "datagrams"));
    return sendto(socket(AF_UNIX, SOCK_DGRAM, 0), "x", 1, 0, (void *)&address, sizeof address) == 1;
}
static int message_to_closed_path(void) {
    struct sockaddr_un address = named(in(closed_dir, "datagrams"));
    struct iovec buffer = {"x", 1};
    struct msghdr message = {.msg_name = &address, .msg_namelen = sizeof address, .msg_iov = &buffer, .msg_iovlen = 1};
    return sendmsg(socket(AF_UNIX, SOCK_DGRAM, 0), &message, 0) == 1;
}
static int bind_in_closed_path(void) {
    struct sockaddr_un address = named(in(closed_dir, "bound"));
    return bind(socket(AF_UNIX, SOCK_STREAM, 0), (void *)&address, sizeof address) == 0;
}
static int abstract(int (*use)(int, const struct sockaddr *, socklen_t), const char *name) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int length = snprintf(address.sun_path + 1, sizeof address.sun_path - 1, "%s-%d", name, port);
    return use(socket(AF_UNIX, SOCK_STREAM, 0), (void *)&address, sizeof(sa_family_t) + 1 + length) == 0;
}
static int connect_to_abstract_name(void) { return abstract(connect, "xenos-outside"); }
static int bind_to_abstract_name(void) { return abstract(bind, "xenos-inside"); }
static int bind_to_any_name(void) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    return bind(socket(AF_UNIX, SOCK_STREAM, 0), (void *)&address, sizeof(sa_family_t)) == 0;
}

const struct attempt sockets[] = {
#define A(name) {#name, name}
    A(connect_by_tcp), A(send_by_udp), A(listen_on_tcp), A(ask_the_kernel), A(connect_to_closed_path),
    A(connect_through_link), A(send_to_closed_path), A(message_to_closed_path), A(bind_in_closed_path),
    A(connect_to_abstract_name), A(bind_to_abstract_name), A(bind_to_any_name),
    {0},
};
