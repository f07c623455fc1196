/* A short tour of what a processor does all day: count, branch, call, shift and compute; freestanding, so that it is
   its own C library. Prints a Mandelbrot set, the solutions of the queens puzzle, the primes below a million and the
   SHA-256 of a text, and exits with status 0 only if they are what they must be.

   Built by: make -C examples */

typedef unsigned char u8;
typedef unsigned int u32;
typedef unsigned long u64;

enum { SYS_WRITE = 64, SYS_EXIT = 93 }; /* Linux numbers of every architecture with the generic table */

static long system_call(long number, long a, long b, long c)
{
    register long a0 __asm__("a0") = a;
    register long a1 __asm__("a1") = b;
    register long a2 __asm__("a2") = c;
    register long a7 __asm__("a7") = number;
    __asm__ volatile("ecall" : "+r"(a0) : "r"(a1), "r"(a2), "r"(a7) : "memory");
    return a0;
}

/* gcc may call these even in freestanding code. */
void *memcpy(void *to, const void *from, u64 n)
{
    u8 *t = to;
    const u8 *f = from;
    while (n--) { *t++ = *f++; __asm__ volatile("" ::: "memory"); }
    return to;
}

void *memset(void *to, int byte, u64 n)
{
    u8 *t = to;
    while (n--) { *t++ = (u8)byte; __asm__ volatile("" ::: "memory"); }
    return to;
}

static u64 length(const char *text)
{
    u64 n = 0;
    while (text[n]) { n++; __asm__ volatile("" : "+r"(n)); }
    return n;
}

static void print(const char *text) { system_call(SYS_WRITE, 1, (long)text, (long)length(text)); }

static void print_number(u64 value)
{
    char digits[21];
    char *p = digits + 20;
    *p = 0;
    do *--p = (char)('0' + value % 10); while (value /= 10);
    print(p);
}

/* --- floating point: how many steps until each point escapes --- */

static void mandelbrot(void)
{
    static const char shades[] = " .:-=+*#%@";
    char line[73];
    for (int row = 0; row < 24; row++) {
        for (int column = 0; column < 72; column++) {
            double cx = column * (3.2 / 72) - 2.25, cy = row * (2.4 / 24) - 1.15, x = 0, y = 0;
            int steps = 0;
            while (steps < 1000 && x * x + y * y < 4) {
                double next = x * x - y * y + cx;
                y = 2 * x * y + cy;
                x = next;
                steps++;
            }
            line[column] = shades[steps == 1000 ? 9 : steps > 26 ? 8 : steps / 3];
        }
        line[72] = '\n';
        system_call(SYS_WRITE, 1, (long)line, 73);
    }
}

/* --- recursion: queens on a board, the attacked columns and diagonals as bits --- */

static u64 queens(u32 all, u32 columns, u32 left, u32 right)
{
    if (columns == all) return 1;
    u64 solutions = 0;
    for (u32 free = all & ~(columns | left | right); free; free &= free - 1) {
        u32 square = free & -free;
        solutions += queens(all, columns | square, (left | square) << 1, (right | square) >> 1);
    }
    return solutions;
}

/* --- memory: the sieve of Eratosthenes --- */

static u64 primes_below(u32 limit)
{
    static u8 composite[1000000];
    u64 count = 0;
    for (u32 n = 2; n < limit; n++) {
        if (composite[n]) continue;
        count++;
        for (u64 multiple = (u64)n * n; multiple < limit; multiple += n) composite[multiple] = 1;
    }
    return count;
}

/* --- bit operations: SHA-256 (FIPS 180-4), its constants computed instead of copied --- */

static u32 constants[64], initial[8];

/* The first 32 bits of the fraction of the n-th root of a prime, by bisection in whole numbers. */
static u32 root_fraction(u32 prime, int n)
{
    u64 low = 0, high = (u64)1 << 36;
    while (high - low > 1) {
        u64 middle = (low + high) / 2;
        __uint128_t power = (__uint128_t)middle * middle;
        if (n == 3) power *= middle;
        int above = power > (__uint128_t)prime << 32 * n;
        if (above) high = middle; else low = middle;
    }
    return (u32)low;
}

static void prepare_constants(void)
{
    int found = 0;
    for (u32 n = 2; found < 64; n++) {
        int prime = 1;
        for (u32 d = 2; d * d <= n; d++) if (n % d == 0) prime = 0;
        if (!prime) continue;
        if (found < 8) initial[found] = root_fraction(n, 2);
        constants[found++] = root_fraction(n, 3);
    }
}

static u32 rotate(u32 x, int n) { return x >> n | x << (32 - n); }

static void compress(u32 *state, const u8 *block)
{
    u32 w[64], s[8];
    for (int i = 0; i < 16; i++)
        w[i] = (u32)block[4 * i] << 24 | (u32)block[4 * i + 1] << 16 | (u32)block[4 * i + 2] << 8 | block[4 * i + 3];
    for (int i = 16; i < 64; i++)
        w[i] = w[i - 16] + w[i - 7] + (rotate(w[i - 15], 7) ^ rotate(w[i - 15], 18) ^ w[i - 15] >> 3)
             + (rotate(w[i - 2], 17) ^ rotate(w[i - 2], 19) ^ w[i - 2] >> 10);
    for (int i = 0; i < 8; i++) s[i] = state[i];
    for (int i = 0; i < 64; i++) {
        u32 t = s[7] + (rotate(s[4], 6) ^ rotate(s[4], 11) ^ rotate(s[4], 25)) + ((s[4] & s[5]) ^ (~s[4] & s[6]))
              + constants[i] + w[i];
        u32 u = (rotate(s[0], 2) ^ rotate(s[0], 13) ^ rotate(s[0], 22))
              + ((s[0] & s[1]) ^ (s[0] & s[2]) ^ (s[1] & s[2]));
        for (int j = 7; j > 0; j--) s[j] = s[j - 1];
        s[4] += t;
        s[0] = t + u;
    }
    for (int i = 0; i < 8; i++) state[i] += s[i];
}

static void sha256(const u8 *text, u64 n, char *hexadecimal)
{
    u32 state[8];
    u8 block[128];
    u64 rest = n % 64, padded = rest < 56 ? 64 : 128;
    for (int i = 0; i < 8; i++) state[i] = initial[i];
    for (u64 i = 0; i + 64 <= n; i += 64) compress(state, text + i);
    for (u64 i = 0; i < padded; i++)
        block[i] = i < rest ? text[n - rest + i] : i == rest ? 0x80
                 : i >= padded - 8 ? (u8)(n * 8 >> 8 * (padded - 1 - i)) : 0;
    for (u64 i = 0; i < padded; i += 64) compress(state, block + i);
    for (int i = 0; i < 64; i++) hexadecimal[i] = "0123456789abcdef"[state[i / 8] >> (28 - i % 8 * 4) & 15];
    hexadecimal[64] = 0;
}

static int same(const char *a, const char *b)
{
    while (*a && *a == *b) { a++; b++; }
    return *a == *b;
}

void _start(void)
{
    static const char text[] = "xenos: stranger, foreigner, guest\n";
    static u8 million[1000000];
    char digest[65];

    mandelbrot();
    u64 solutions = queens((1 << 10) - 1, 0, 0, 0);
    u64 primes = primes_below(1000000);
    prepare_constants();
    sha256((const u8 *)text, length(text), digest);

    print("queens on a board of 10: "), print_number(solutions), print(" solutions\n");
    print("primes below a million:  "), print_number(primes), print("\n");
    print("sha256 of the motto:     "), print(digest), print("\n");
    int right = solutions == 724 && primes == 78498
             && same(digest, "c962a938b3a71ba4b0767eec492766e29ac23fe621d878d8c63799b1049d7a9f");
    memset(million, 'a', sizeof million);
    sha256(million, sizeof million, digest); /* the long message of FIPS 180's examples */
    print("sha256 of a million a's: "), print(digest), print("\n");
    right &= same(digest, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
    print(right ? "all as it must be\n" : "WRONG\n");
    system_call(SYS_EXIT, !right, 0, 0);
    __builtin_unreachable();
}
