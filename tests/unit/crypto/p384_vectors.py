#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the corner cases of ECDSA on P-384 that test_p384.c holds every back end against.

The cases and their results follow from the definition alone (FIPS 186-5 6.4.2, SP 800-186 3.2.1.4),
computed here with Python's integers: an implementation that shares no code with those under test.
Two constructions give signatures that no signer would come upon:

  chosen(Q, u1, u2)    R = u1 G + u2 Q, r = x(R), s = r / u2, z = u1 s: any scalars, for any key,
                       whose private part nobody needs to know.
  recovered(R, r, s, z)  Q = (s R - z G) / r: any r, s and digest, by making the key for them.

Every line is: name, key (SEC1 point), digest, r||s, result; hex, "-" for empty. Results: valid,
invalid, or bad-key, where the point must not be taken for a key.
"""
import functools
import hashlib
import sys

P = 2**384 - 2**128 - 2**96 + 2**32 - 1
N = 0xffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973
B = 0xb3312fa7e23ee7e4988e056be3f82d19181d9c6efe8141120314088f5013875ac656398d8a2ed19d2a85c8edd3ec2aef
G = (0xaa87ca22be8b05378eb1c71ef320ad746e1d3b628ba79b9859f741e082542a385502f25dbf55296c3a545e3872760ab7,
     0x3617de4a96262c6f5d9e98bf9292dc29f8f41dbd289a147ce9da3113b5f0b8c00a60b1ce1d7e819d7a431d7c90ea0e5f)


# ---- the curve; None is the point at infinity ------------------------------------------------------

def neg(a):
    return a and (a[0], -a[1] % P)


def double(x, y, z):
    """In Jacobian coordinates, as is `plus`; z = 0 at infinity."""
    m, t = 3 * (x - z * z) * (x + z * z), 4 * x * y * y
    x3 = (m * m - 2 * t) % P
    return x3, (m * (t - x3) - 8 * y**4) % P, 2 * y * z % P


def plus(a, b):
    if a[2] == 0 or b[2] == 0:
        return b if a[2] == 0 else a
    aa, bb = a[2] * a[2] % P, b[2] * b[2] % P
    u, h = a[0] * bb % P, (b[0] * aa - a[0] * bb) % P
    t, r = a[1] * b[2] * bb % P, (b[1] * a[2] * aa - a[1] * b[2] * bb) % P
    if h == 0:
        return double(*a) if r == 0 else (1, 1, 0)
    hh = h * h % P
    x = (r * r - h * hh - 2 * u * hh) % P
    return x, (r * (u * hh - x) - t * h * hh) % P, a[2] * b[2] * h % P


def jacobian(a):
    return (*a, 1) if a else (1, 1, 0)


def affine(a):
    if a[2] == 0:
        return None
    w = pow(a[2], -1, P)
    return a[0] * w * w % P, a[1] * w**3 % P


def add(a, b):
    return affine(plus(jacobian(a), jacobian(b)))


@functools.lru_cache(16)
def doublings(a):
    powers = [jacobian(a)]
    for _ in range(383):
        powers.append(double(*powers[-1]))
    return powers


def mul(k, a):
    total = (1, 1, 0)
    for bit, power in enumerate(doublings(a)):
        if k % N >> bit & 1:
            total = plus(total, power)
    return affine(total)


def lift(x):
    """The point with this x and even y, or None."""
    square = (x**3 - 3 * x + B) % P
    y = pow(square, (P + 1) // 4, P)
    return (x, y if y % 2 == 0 else P - y) if x < P and y * y % P == square else None


def near(x, step):
    """The first point on the curve whose x is x, x + step, ..."""
    while (point := lift(x)) is None:
        x += step
    return point


# ---- ECDSA ---------------------------------------------------------------------------------------

def number(digest):
    return int.from_bytes(digest[:48], "big")


def verifies(key, digest, r, s):
    if not (0 < r < N and 0 < s < N):
        return False
    w = pow(s, -1, N)
    point = add(mul(number(digest) * w, G), mul(r * w, key))
    return point is not None and point[0] % N == r


def derived(label):
    return int.from_bytes(hashlib.sha512(b"vouchsafe p384 " + label.encode()).digest(), "big") % (N - 1) + 1


def sign(d, digest, k):
    r = mul(k, G)[0] % N
    return r, pow(k, -1, N) * (number(digest) + r * d) % N


def b48(x):
    return x.to_bytes(48, "big")


def sec1(point):
    return b"\x04" + b48(point[0]) + b48(point[1])


# ---- writing -------------------------------------------------------------------------------------

NAMES = set()


def line(name, key, digest, rs, result):
    assert name not in NAMES, name
    NAMES.add(name)
    print(name, *(x.hex() or "-" for x in (key, digest, rs)), result)


def case(name, key, digest, r, s, expected):
    """r and s below 2^384. `expected` is what the case is made for; the definition must agree."""
    assert verifies(key, digest, r, s) == expected, name
    line(name, sec1(key), digest, b48(r) + b48(s), "valid" if expected else "invalid")


def chosen(name, key, u1, u2):
    point = add(mul(u1, G), mul(u2, key))
    r = point[0] % N if point else derived(name)
    s = r * pow(u2, -1, N) % N
    case(name, key, b48(u1 * s % N), r, s, point is not None)


def recovered(name, point, r, s, digest):
    key = mul(pow(r, -1, N), add(mul(s, point), neg(mul(number(digest), G))))
    case(name, key, digest, r, s, True)
    return key


# ---- the cases -----------------------------------------------------------------------------------

D = derived("key")
Q = mul(D, G)
DIGEST = hashlib.sha384(b"sample").digest()
R, S = sign(D, DIGEST, derived("nonce"))


def ranges():
    case("good", Q, DIGEST, R, S, True)
    case("s-negated", Q, DIGEST, R, N - S, True)
    case("r-negated", Q, DIGEST, N - R, S, False)
    case("swapped", Q, DIGEST, S, R, False)
    case("r-twice", Q, DIGEST, R, R, False)
    case("s-twice", Q, DIGEST, S, S, False)
    bad = {"0": 0, "1": 1, "2": 2, "n-1": N - 1, "n": N, "n+1": N + 1, "p-1": P - 1, "p": P, "p+1": P + 1,
           "2^383": 2**383, "ones": 2**384 - 1}
    for name, value in bad.items():
        case(f"r={name}", Q, DIGEST, value, S, False)
        case(f"s={name}", Q, DIGEST, R, value, False)
        for other, second in bad.items():
            case(f"r={name},s={other}", Q, DIGEST, value, second, False)


def extreme_values():
    """Keys made for the outermost r and s."""
    for name, s in {"1": 1, "2": 2, "half": (N + 1) // 2, "n-2": N - 2, "n-1": N - 1}.items():
        recovered(f"valid-s={name}", mul(derived("R"), G), mul(derived("R"), G)[0] % N, s, DIGEST)
    point = near(1, 1)
    key = recovered("least-r", point, point[0], derived("s1"), DIGEST)
    case("least-r-plus-n", key, DIGEST, point[0] + N, derived("s1"), False)
    point = near(N - 1, -1)
    recovered("greatest-r", point, point[0], derived("s2"), DIGEST)
    point = near(N + 1, 1)  # x is beyond n, so r is not x
    key = recovered("x-beyond-n", point, point[0] - N, derived("s3"), DIGEST)
    case("x-beyond-n-not-reduced", key, DIGEST, point[0], derived("s3"), False)
    point = near(P - 1, -1)
    recovered("greatest-x", point, point[0] - N, derived("s4"), DIGEST)
    point = near(0, 1)
    if point[0] == 0:  # r would be 0: the point exists, and no signature of it
        case("x=0", Q, DIGEST, 0, derived("s5"), False)


def digests():
    special = {"zero": bytes(48), "one": b48(1), "ones": b"\xff" * 48, "n-1": b48(N - 1), "n": b48(N),
               "n+1": b48(N + 1), "p": b48(P), "2^383": b48(2**383), "short-20": DIGEST[:20],
               "short-32": DIGEST[:32], "short-47": DIGEST[:47], "long-49": hashlib.sha512(b"sample").digest()[:49],
               "long-64": hashlib.sha512(b"sample").digest()}
    for name, digest in special.items():
        r, s = sign(D, digest, derived(name))
        case(f"digest-{name}", Q, digest, r, s, True)
        case(f"digest-{name}-s-negated", Q, digest, r, N - s, True)
        case(f"digest-{name}-other", Q, digest, R, S, False)
        case(f"digest-{name}-wrong-s", Q, digest, r, s ^ 1, False)
    r, s = sign(D, bytes(48), derived("z"))
    case("digest-zero-negated-key", neg(Q), bytes(48), r, s, True)  # -R has the same x
    case("digest-n-for-zero", Q, b48(N), r, s, True)
    r, s = sign(D, b48(N + 5), derived("z"))
    case("digest-congruent", Q, b48(5), r, s, True)
    z = number(DIGEST) % N
    case("all-negated", neg(Q), b48(N - z), R, S, True)
    case("key-negated", neg(Q), DIGEST, R, S, False)
    case("digest-negated", Q, b48(N - z), R, S, False)


def scalars():
    """Multiples that windows and combs could stumble over."""
    special = {"1": 1, "2": 2, "3": 3, "15": 15, "16": 16, "17": 17, "31": 31, "32": 32, "33": 33,
               "half": (N + 1) // 2, "half-1": (N - 1) // 2, "n-1": N - 1, "n-2": N - 2, "n-16": N - 16,
               "n-17": N - 17, "1s": int("1" * 96, 16), "8s": int("8" * 96, 16), "7s": int("7" * 96, 16)}
    for bit in (5, 6, 31, 32, 63, 64, 127, 128, 191, 192, 255, 256, 319, 320, 378, 383):
        special[f"2^{bit}"] = 2**bit
        special[f"2^{bit}-1"] = 2**bit - 1
    for name, u in special.items():
        chosen(f"u1={name}", Q, u, derived("u2"))
        chosen(f"u2={name}", Q, derived("u1"), u)
        chosen(f"u1=u2={name}", Q, u, u)
        chosen(f"u1=0,u2={name}", Q, 0, u)


def meetings():
    """u1 G and u2 Q are equal, opposite, or a step from it: addition must double, vanish, or not."""
    keys = {"G": 1, "-G": N - 1, "2G": 2, "-2G": N - 2, "3G": 3, "G/2": (N + 1) // 2, "16G": 16, "17G": 17,
            "2^64G": 2**64, "any": D}
    for name, d in keys.items():
        key = mul(d, G)
        for which, u2 in {"1": 1, "2": 2, "n-1": N - 1, "any": derived("meet")}.items():
            chosen(f"key={name},u2={which},equal", key, u2 * d % N, u2)
            chosen(f"key={name},u2={which},opposite", key, -u2 * d % N, u2)
            chosen(f"key={name},u2={which},above", key, (u2 * d + 1) % N, u2)
            chosen(f"key={name},u2={which},below", key, (-u2 * d + 1) % N, u2)


def special_keys():
    """Points of which nobody knows the private key."""
    points = {"least-x": near(0, 1), "greatest-x": near(P - 1, -1), "x-near-2^192": near(2**192, 1),
              "x-near-2^383": near(2**383, 1), "x-near-n": near(N, 1)}
    for name, point in points.items():
        for sign_, key in {"even": point, "odd": neg(point)}.items():
            chosen(f"key-{name}-{sign_}", key, derived("k1"), derived("k2"))
            case(f"key-{name}-{sign_}-wrong", key, DIGEST, R, S, False)


def bad_keys():
    def bad(name, point):
        line(f"bad-key-{name}", point, DIGEST, b48(R) + b48(S), "bad-key")

    x, y = b48(Q[0]), b48(Q[1])
    small = near(0, 1)
    bad("empty", b"")
    bad("infinity", b"\x00")
    bad("infinity-long", bytes(97))
    bad("zeros", b"\x04" + bytes(96))
    bad("ones", b"\x04" + b"\xff" * 96)
    bad("y-plus-1", b"\x04" + x + b48(Q[1] + 1))
    bad("x-plus-1", b"\x04" + b48(Q[0] + 1) + y)
    bad("swapped", b"\x04" + y + x)
    bad("x-zero", b"\x04" + bytes(48) + y)
    bad("y-zero", b"\x04" + x + bytes(48))
    bad("x-is-p", b"\x04" + b48(P) + y)
    bad("y-is-p", b"\x04" + x + b48(P))
    bad("x-not-reduced", b"\x04" + b48(small[0] + P) + b48(small[1]))
    bad("y-ones", b"\x04" + x + b"\xff" * 48)
    bad("order-2-of-another-curve", b"\x04" + b48(1) + bytes(48))
    twist = next(v for v in range(1, 99) if lift(v) is None)
    bad("on-the-twist", b"\x04" + b48(twist) + b48(pow(-(twist**3 - 3 * twist + B) % P, (P + 1) // 4, P)))
    bad("compressed", bytes([2 + Q[1] % 2]) + x)
    bad("hybrid", bytes([6 + Q[1] % 2]) + x + y)
    bad("form-0", b"\x00" + x + y)
    bad("form-5", b"\x05" + x + y)
    bad("no-form", x + y)
    bad("cut", b"\x04" + x + y[:-1])
    bad("long", b"\x04" + x + y + b"\x00")
    bad("x-only", b"\x04" + x)
    bad("coordinates-of-49", b"\x04\x00" + x + b"\x00" + y)


def forms():
    """Only r||s of 48 bytes each is a signature."""
    def integer(v):
        body = b"\x00" * (v >> 383) + b48(v).lstrip(b"\x00")
        return b"\x02" + bytes([len(body)]) + body

    r, s = b48(R), b48(S)
    body = integer(R) + integer(S)
    bad = {"empty": b"", "r-only": r, "cut-1": (r + s)[:-1], "cut-2": (r + s)[:-2], "no-first": (r + s)[1:],
           "long": r + s + b"\x00", "leading-zero": b"\x00" + r + s, "both-of-49": b"\x00" + r + b"\x00" + s,
           "both-of-47": r[1:] + s[1:], "r-of-49": b"\x00" + r + s[1:], "twice": (r + s) * 2,
           "der": b"\x30" + bytes([len(body)]) + body, "der-in-96": (b"\x30" + bytes([len(body)]) + body)[:96],
           "zeros": bytes(96)}
    for name, rs in bad.items():
        line(f"form-{name}", sec1(Q), DIGEST, rs, "invalid")
    moved = r[1:] + b"\x00" + s
    line("form-shifted", sec1(Q), DIGEST, moved, "invalid")
    for bit in range(0, 768, 7):
        flipped = int.from_bytes(r + s, "big") ^ 1 << bit
        line(f"flipped-{bit}", sec1(Q), DIGEST, flipped.to_bytes(96, "big"), "invalid")


def main():
    for group in (ranges, extreme_values, digests, scalars, meetings, special_keys, bad_keys, forms):
        group()
    print(f"{len(NAMES)} vectors", file=sys.stderr)


if __name__ == "__main__":
    main()
