"""The client on the host: it asks over the server's socket, in parallel, whole, in part and compressed."""

import gzip
import hashlib
import socket
from concurrent.futures import ThreadPoolExecutor


def ask(path: str, *headers: str) -> tuple[str, bytes]:
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(60)
        client.connect("web.sock")
        lines = [f"GET {path} HTTP/1.0", "Host: guest", *headers, "", ""]
        client.sendall("\r\n".join(lines).encode())
        answer = b""
        while part := client.recv(65536):
            answer += part
    head, _, body = answer.partition(b"\r\n\r\n")
    return head.split(b"\r\n")[0].decode().split(" ", 1)[1], body


numbers = "".join(f"{n}\n" for n in range(1, 50001)).encode()
print(*ask("/"), sep=" | ")
with ThreadPoolExecutor(8) as pool:
    answers = list(pool.map(lambda n: ask("/numbers.txt" if n % 2 else "/through/numbers.txt"), range(100)))
print(sum(body == numbers for _, body in answers), {status for status, _ in answers})
status, body = ask("/numbers.txt", "Range: bytes=100-199")
print(status, body == numbers[100:200])
status, body = ask("/numbers.txt", "Accept-Encoding: gzip")
print(status, hashlib.sha256(gzip.decompress(body)).hexdigest() == hashlib.sha256(numbers).hexdigest())
print(ask("/nothing")[0])
