/* Sockets of all common families, messages with descriptors and credentials, options. */
#include "show.h"
#include <arpa/inet.h>
#include <linux/filter.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

static void local(void) {
    struct sockaddr_un name = {AF_UNIX, "socket"}, got;
    socklen_t length = sizeof got;
    char buffer[64];
    int server = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    SHOW(fcntl(server, F_GETFD)); SHOW(bind(server, (void *)&name, sizeof name)); SHOW(bind(server, (void *)&name, sizeof name));
    SHOW(listen(server, 5));
    SHOW(getsockname(server, (void *)&got, &length)); say("length", length); printf("  %s\n", got.sun_path);
    int client = socket(AF_UNIX, SOCK_STREAM, 0);
    SHOW(connect(client, (void *)&name, offsetof(struct sockaddr_un, sun_path) + 7)); length = sizeof got;
    int one = accept4(server, (void *)&got, &length, SOCK_NONBLOCK); say("accepted", one > 0); say("length", length);
    SHOW((fcntl(one, F_GETFL) & O_NONBLOCK) != 0); SHOW(recv(one, buffer, 10, 0));
    SHOW(send(client, "hello", 5, 0)); SHOW(recv(one, buffer, 10, MSG_PEEK)); SHOW(recv(one, buffer, 2, 0)); SHOW(recv(one, buffer, 10, 0));
    length = sizeof got; SHOW(getpeername(client, (void *)&got, &length)); printf("  %s\n", got.sun_path);
    length = 4; SHOW(getpeername(client, (void *)&got, &length)); say("length", length);
    struct ucred who; length = sizeof who; SHOW(getsockopt(one, SOL_SOCKET, SO_PEERCRED, &who, &length)); say("me", who.pid == getpid());
    SHOW(shutdown(client, SHUT_WR)); SHOW(recv(one, buffer, 10, 0)); SHOW(close(client)); SHOW(send(one, "x", 1, MSG_NOSIGNAL));
    SHOW(connect(client, (void *)&name, sizeof name)); SHOW(unlink("socket"));
    client = socket(AF_UNIX, SOCK_STREAM, 0); SHOW(connect(client, (void *)&name, sizeof name));
    SHOW(mkdir("below", 0700)); SHOW(chdir("below")); server = socket(AF_UNIX, SOCK_DGRAM, 0); client = socket(AF_UNIX, SOCK_DGRAM, 0);
    SHOW(bind(server, (void *)&name, sizeof name)); length = sizeof got; SHOW(getsockname(server, (void *)&got, &length)); printf("  %s\n", got.sun_path);
    SHOW(sendto(client, "data", 4, 0, (void *)&name, sizeof name)); length = sizeof got; memset(&got, 7, sizeof got);
    SHOW(recvfrom(server, buffer, 64, 0, (void *)&got, &length)); say("length", length);
    strcpy(name.sun_path, "other"); SHOW(bind(client, (void *)&name, sizeof name)); strcpy(name.sun_path, "socket");
    SHOW(sendto(client, "data", 4, 0, (void *)&name, sizeof name)); length = sizeof got;
    SHOW(recvfrom(server, buffer, 64, 0, (void *)&got, &length)); printf("  %s\n", got.sun_path); SHOW(access("socket", F_OK));
    SHOW(chdir("..")); memcpy(name.sun_path, "\0abstract-of-this-test", 22); server = socket(AF_UNIX, SOCK_DGRAM, 0);
    SHOW(bind(server, (void *)&name, 24)); length = sizeof got; SHOW(getsockname(server, (void *)&got, &length)); say("length", length);
    SHOW(sendto(client, (void *)8, 4, 0, (void *)&name, 24)); SHOW(sendto(client, "x", 1, 0, (void *)8, 24)); SHOW(sendto(client, "x", 1, 0, (void *)&name, 500));
}

static int give(int channel, const int *fds, int count, int credentials) {
    char control[256] = "", byte = 'b';
    struct iovec iov = {&byte, 1};
    struct msghdr message = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control};
    struct cmsghdr *header = (void *)control;
    if (count) {
        *header = (struct cmsghdr){CMSG_LEN(4 * count), SOL_SOCKET, SCM_RIGHTS}; memcpy(CMSG_DATA(header), fds, 4 * count);
        message.msg_controllen += CMSG_SPACE(4 * count); header = (void *)(control + message.msg_controllen);
    }
    if (credentials) {
        struct ucred who = {getpid(), getuid(), getgid()};
        *header = (struct cmsghdr){CMSG_LEN(sizeof who), SOL_SOCKET, SCM_CREDENTIALS}; memcpy(CMSG_DATA(header), &who, sizeof who);
        message.msg_controllen += CMSG_SPACE(sizeof who);
    }
    return sendmsg(channel, &message, 0);
}

static int take(int channel, int room, int flags) {
    char control[256] = "", byte = 0;
    struct iovec iov = {&byte, 1};
    struct msghdr message = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control, .msg_controllen = room};
    int got = recvmsg(channel, &message, flags);
    printf("  %d bytes, %zu control, flags %x\n", got, message.msg_controllen, message.msg_flags);
    for (struct cmsghdr *header = CMSG_FIRSTHDR(&message); header; header = CMSG_NXTHDR(&message, header)) {
        printf("  level %d type %d length %zu\n", header->cmsg_level, header->cmsg_type, (size_t)header->cmsg_len);
        if (header->cmsg_type == SCM_RIGHTS)
            for (size_t at = 0; at < (header->cmsg_len - CMSG_LEN(0)) / 4; at++) {
                int fd = ((int *)CMSG_DATA(header))[at]; char text[16] = "";
                printf("  close-on-exec %d, reads %zd: %s\n", fcntl(fd, F_GETFD), pread(fd, text, 15, 0), text); close(fd);
            }
    }
    return got;
}

static void messages(void) {
    int pair[2], file = open("passed", O_RDWR | O_CREAT, 0600), on = 1, fds[3] = {file, file, file}, bad[2] = {file, 999};
    SHOW(write(file, "contents", 8)); SHOW(socketpair(AF_UNIX, SOCK_STREAM, 0, pair)); SHOW(socketpair(AF_UNIX, SOCK_STREAM, 0, (void *)8));
    SHOW(give(pair[0], fds, 1, 0)); SHOW(take(pair[1], 256, 0)); SHOW(give(pair[0], fds, 3, 0)); SHOW(take(pair[1], 256, MSG_CMSG_CLOEXEC));
    SHOW(give(pair[0], fds, 3, 0)); SHOW(take(pair[1], CMSG_SPACE(4), 0)); SHOW(give(pair[0], fds, 1, 0)); SHOW(take(pair[1], 0, 0));
    SHOW(give(pair[0], bad, 2, 0)); SHOW(setsockopt(pair[1], SOL_SOCKET, SO_PASSCRED, &on, sizeof on));
    SHOW(give(pair[0], fds, 1, 1)); SHOW(take(pair[1], 256, 0)); SHOW(give(pair[0], fds, 0, 0)); SHOW(take(pair[1], 256, 0));
    int datagrams[2]; SHOW(socketpair(AF_UNIX, SOCK_DGRAM, 0, datagrams));
    struct iovec iov[4] = {{"one", 3}, {"two!", 4}, {"three", 5}, {(void *)8, 5}};
    struct mmsghdr many[4] = {{{.msg_iov = iov, .msg_iovlen = 1}}, {{.msg_iov = iov + 1, .msg_iovlen = 2}}, {{.msg_iov = iov + 2, .msg_iovlen = 1}}, {{.msg_iov = iov + 3, .msg_iovlen = 1}}};
    SHOW(sendmmsg(datagrams[0], many, 3, 0)); for (int i = 0; i < 3; i++) say("sent", many[i].msg_len);
    SHOW(sendmmsg(datagrams[0], many + 3, 1, 0)); char room[4][8] = {""};
    for (int i = 0; i < 4; i++) { iov[i] = (struct iovec){room[i], i == 1 ? 4 : 8}; many[i] = (struct mmsghdr){{.msg_iov = iov + i, .msg_iovlen = 1}}; }
    struct timespec limit = {0, 1000000}; SHOW(recvmmsg(datagrams[1], many, 4, MSG_DONTWAIT, &limit));
    for (int i = 0; i < 3; i++) printf("  %u %x %.8s\n", many[i].msg_len, many[i].msg_hdr.msg_flags, room[i]);
    struct msghdr wrong = {.msg_iov = iov, .msg_iovlen = 2000}; SHOW(sendmsg(datagrams[0], &wrong, 0)); SHOW(recvmsg(datagrams[1], (void *)8, 0)); SHOW(recvmmsg(datagrams[1], many, 4, MSG_DONTWAIT, NULL));
}

static void internet(int family) {
    struct sockaddr_storage address = {.ss_family = family}, got;
    socklen_t length = sizeof got, size = family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
    if (family == AF_INET) ((struct sockaddr_in *)&address)->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    else ((struct sockaddr_in6 *)&address)->sin6_addr = in6addr_loopback;
    int server = socket(family, SOCK_STREAM, 0), client = socket(family, SOCK_STREAM | SOCK_NONBLOCK, 0), on = 1, value = 0; char buffer[64];
    SHOW(setsockopt(server, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on)); SHOW(bind(server, (void *)&address, size)); SHOW(listen(server, 1));
    SHOW(getsockname(server, (void *)&address, &size)); say("size", size);
    SHOW(connect(client, (void *)&address, size)); struct pollfd ready = {client, POLLOUT, 0}; SHOW(poll(&ready, 1, 1000)); say("events", ready.revents);
    length = 4; SHOW(getsockopt(client, SOL_SOCKET, SO_ERROR, &value, &length)); say("error", value);
    length = sizeof got; int one = accept(server, (void *)&got, &length); say("family", got.ss_family); say("length", length);
    SHOW(setsockopt(one, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on)); length = 4; SHOW(getsockopt(one, IPPROTO_TCP, TCP_NODELAY, &value, &length)); say("value", value);
    struct timeval limit = {0, 20000}; SHOW(setsockopt(one, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit)); SHOW(recv(one, buffer, 10, 0));
    struct linger linger = {1, 0}; SHOW(setsockopt(one, SOL_SOCKET, SO_LINGER, &linger, sizeof linger)); SHOW(setsockopt(one, SOL_SOCKET, SO_LINGER, &linger, 3)); SHOW(setsockopt(one, SOL_SOCKET, 9999, &on, 4));
    length = 64; SHOW(getsockopt(one, IPPROTO_TCP, TCP_CONGESTION, buffer, &length)); struct tcp_info info; length = sizeof info; SHOW(getsockopt(one, IPPROTO_TCP, TCP_INFO, &info, &length)); say("state", info.tcpi_state);
    SHOW(send(client, "urgent", 6, MSG_OOB)); usleep(20000); SHOW(ioctl(one, SIOCATMARK, &value)); SHOW(ioctl(one, FIONREAD, &value)); say("there", value);
    SHOW(recv(one, buffer, 64, MSG_DONTWAIT)); SHOW(close(client)); usleep(20000); SHOW(recv(one, buffer, 64, 0)); SHOW(send(one, "x", 1, MSG_NOSIGNAL)); SHOW(setsockopt(one, SOL_SOCKET, SO_KEEPALIVE, (void *)8, 4));
    int datagram = socket(family, SOCK_DGRAM, 0); SHOW(bind(datagram, (void *)&address, size)); SHOW(connect(datagram, (void *)&address, size)); SHOW(send(datagram, "self", 4, 0)); SHOW(recv(datagram, buffer, 2, MSG_TRUNC)); SHOW(recv(datagram, buffer, 2, MSG_DONTWAIT));
}

static void others(void) {
    struct sockaddr_nl kernel = {AF_NETLINK}; struct { struct nlmsghdr head; struct rtgenmsg body; } ask = {{sizeof ask, RTM_GETLINK, NLM_F_REQUEST | NLM_F_DUMP, 1, 0}, {AF_UNSPEC}};
    int netlink = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE); char buffer[16384]; SHOW(bind(netlink, (void *)&kernel, sizeof kernel));
    SHOW(sendto(netlink, &ask, sizeof ask, 0, (void *)&kernel, sizeof kernel)); OK(recv(netlink, buffer, sizeof buffer, 0)); say("type", ((struct nlmsghdr *)buffer)->nlmsg_type);
    SHOW(socket(77, SOCK_STREAM, 0)); int six = socket(AF_INET6, SOCK_DGRAM, 0), on = 1; for (int option = 40; option < 80; option++) if (option != 64 && option != 65) printf("  %d: %d\n", option, setsockopt(six, IPPROTO_IPV6, option, &on, sizeof on)); SHOW(socket(AF_INET, 77, 0)); SHOW(socket(AF_INET, SOCK_STREAM, IPPROTO_UDP)); SHOW(listen(0, 1)); SHOW(accept(netlink, NULL, NULL));
    int plain = socket(AF_INET, SOCK_DGRAM, 0); struct ifreq request = {"lo"}; OK(ioctl(plain, SIOCGIFINDEX, &request)); SHOW(ioctl(plain, SIOCGIFFLAGS, &request)); say("loopback", !!(request.ifr_flags & IFF_LOOPBACK));
    struct ifreq all[16]; struct ifconf conf = {sizeof all, {(void *)all}}; SHOW(ioctl(plain, SIOCGIFCONF, &conf)); say("some", conf.ifc_len > 0); printf("  %s\n", all[0].ifr_name); conf.ifc_buf = NULL; SHOW(ioctl(plain, SIOCGIFCONF, &conf)); strcpy(request.ifr_name, "none"); SHOW(ioctl(plain, SIOCGIFMTU, &request));
    struct sock_filter accept_all[] = {{BPF_RET | BPF_K, 0, 0, 0xFFFF}}, nonsense[] = {{0xFFFF, 0, 0, 0}}; struct sock_fprog program = {1, accept_all}, wrong = {1, nonsense};
    SHOW(setsockopt(plain, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program)); SHOW(setsockopt(plain, SOL_SOCKET, SO_ATTACH_FILTER, &wrong, sizeof wrong)); program.filter = (void *)8; SHOW(setsockopt(plain, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program)); SHOW(setsockopt(plain, SOL_SOCKET, SO_DETACH_FILTER, &program, 4));
}

int main(int argc, char **argv) {
    if (argc < 2 || chdir(argv[1])) return 2;
    local(); messages(); internet(AF_INET); internet(AF_INET6); others();
    return 42;
}
