//go:build !purego

#include "textflag.h"

// Eight field elements side by side, a block, are five vectors of 52-bit limbs, least
// significant first; lane k of each is element k. A value is a number below 2^260 that
// need not be below the modulus p < 2^253.6. Unless said otherwise limbs are below 2^52.
//
// Registers: Z25–Z29 the limbs of p, Z30 −1/p mod 2^52, Z31 2^52 − 1.

// p, −1/p mod 2^52, 2^52−1, 2p
DATA field<>+0(SB)/8, $154029749239111
DATA field<>+8(SB)/8, $2558044347618242
DATA field<>+16(SB)/8, $423691504025962
DATA field<>+24(SB)/8, $2817616741948264
DATA field<>+32(SB)/8, $53207371014449
DATA field<>+40(SB)/8, $571208714576777
DATA field<>+48(SB)/8, $0xfffffffffffff
DATA field<>+56(SB)/8, $308059498478222
DATA field<>+64(SB)/8, $612489067865988
DATA field<>+72(SB)/8, $847383008051925
DATA field<>+80(SB)/8, $1131633856526032
DATA field<>+88(SB)/8, $106414742028899
GLOBL field<>(SB), RODATA|NOPTR, $96

#define CONSTANTS \
	VPBROADCASTQ field<>+0(SB), Z25; \
	VPBROADCASTQ field<>+8(SB), Z26; \
	VPBROADCASTQ field<>+16(SB), Z27; \
	VPBROADCASTQ field<>+24(SB), Z28; \
	VPBROADCASTQ field<>+32(SB), Z29; \
	VPBROADCASTQ field<>+40(SB), Z30; \
	VPBROADCASTQ field<>+48(SB), Z31

// ROW adds a·(b0…b4) to the columns t0…t5.
#define ROW(a, b0, b1, b2, b3, b4, t0, t1, t2, t3, t4, t5) \
	VPMADD52LUQ b0, a, t0; \
	VPMADD52LUQ b1, a, t1; \
	VPMADD52LUQ b2, a, t2; \
	VPMADD52LUQ b3, a, t3; \
	VPMADD52LUQ b4, a, t4; \
	VPMADD52HUQ b0, a, t1; \
	VPMADD52HUQ b1, a, t2; \
	VPMADD52HUQ b2, a, t3; \
	VPMADD52HUQ b3, a, t4; \
	VPMADD52HUQ b4, a, t5

// REDUCE adds the multiple of p to t0…t5 that makes column t0 a multiple of 2^52, and
// carries it into t1.
#define REDUCE(t0, t1, t2, t3, t4, t5) \
	VPXORQ      Z20, Z20, Z20; \
	VPMADD52LUQ Z30, t0, Z20; \
	VPMADD52LUQ Z26, Z20, t1; \
	VPMADD52HUQ Z25, Z20, t1; \
	VPMADD52LUQ Z25, Z20, t0; \
	VPMADD52LUQ Z27, Z20, t2; \
	VPMADD52LUQ Z28, Z20, t3; \
	VPMADD52LUQ Z29, Z20, t4; \
	VPMADD52HUQ Z26, Z20, t2; \
	VPMADD52HUQ Z27, Z20, t3; \
	VPMADD52HUQ Z28, Z20, t4; \
	VPMADD52HUQ Z29, Z20, t5; \
	VPSRLQ      $52, t0, t0; \
	VPADDQ      t0, t1, t1

// MULTIPLY sets the columns Z15…Z19 to a·b/2^260 (Montgomery): less than ab/2^260 + p,
// not carried. It uses Z10…Z20.
#define MULTIPLY(a0, a1, a2, a3, a4, b0, b1, b2, b3, b4) \
	VPXORQ Z10, Z10, Z10; \
	VPXORQ Z11, Z11, Z11; \
	VPXORQ Z12, Z12, Z12; \
	VPXORQ Z13, Z13, Z13; \
	VPXORQ Z14, Z14, Z14; \
	VPXORQ Z15, Z15, Z15; \
	VPXORQ Z16, Z16, Z16; \
	VPXORQ Z17, Z17, Z17; \
	VPXORQ Z18, Z18, Z18; \
	VPXORQ Z19, Z19, Z19; \
	ROW(a0, b0, b1, b2, b3, b4, Z10, Z11, Z12, Z13, Z14, Z15); \
	ROW(a1, b0, b1, b2, b3, b4, Z11, Z12, Z13, Z14, Z15, Z16); \
	ROW(a2, b0, b1, b2, b3, b4, Z12, Z13, Z14, Z15, Z16, Z17); \
	ROW(a3, b0, b1, b2, b3, b4, Z13, Z14, Z15, Z16, Z17, Z18); \
	ROW(a4, b0, b1, b2, b3, b4, Z14, Z15, Z16, Z17, Z18, Z19); \
	REDUCE(Z10, Z11, Z12, Z13, Z14, Z15); \
	REDUCE(Z11, Z12, Z13, Z14, Z15, Z16); \
	REDUCE(Z12, Z13, Z14, Z15, Z16, Z17); \
	REDUCE(Z13, Z14, Z15, Z16, Z17, Z18); \
	REDUCE(Z14, Z15, Z16, Z17, Z18, Z19)

// CARRY makes signed limbs t0…t4 of a value that is not negative into limbs r0…r4. It
// uses Z20.
#define CARRY(t0, t1, t2, t3, t4, r0, r1, r2, r3, r4) \
	VPSRAQ $52, t0, Z20; \
	VPANDQ Z31, t0, r0; \
	VPADDQ Z20, t1, t1; \
	VPSRAQ $52, t1, Z20; \
	VPANDQ Z31, t1, r1; \
	VPADDQ Z20, t2, t2; \
	VPSRAQ $52, t2, Z20; \
	VPANDQ Z31, t2, r2; \
	VPADDQ Z20, t3, t3; \
	VPSRAQ $52, t3, Z20; \
	VPANDQ Z31, t3, r3; \
	VPADDQ Z20, t4, r4

// LOAD and STORE move a block from and to memory.
#define LOAD(from, a0, a1, a2, a3, a4) \
	VMOVDQU64 0(from), a0; \
	VMOVDQU64 64(from), a1; \
	VMOVDQU64 128(from), a2; \
	VMOVDQU64 192(from), a3; \
	VMOVDQU64 256(from), a4

#define STORE(a0, a1, a2, a3, a4, to) \
	VMOVDQU64 a0, 0(to); \
	VMOVDQU64 a1, 64(to); \
	VMOVDQU64 a2, 128(to); \
	VMOVDQU64 a3, 192(to); \
	VMOVDQU64 a4, 256(to)

// ADDRESS sets r to the address of the point of the entry at from; R15 is where the
// points are. An entry is index<<1 | sign, a point has 64 bytes.
#define ADDRESS(from, r) \
	MOVL from, r; \
	ANDL $-2, r; \
	SHLQ $5, r; \
	ADDQ R15, r

// ADDRESSES does so for the eight entries at from(R10).
#define ADDRESSES(from) \
	ADDRESS(from+0(R10), AX); \
	ADDRESS(from+4(R10), BX); \
	ADDRESS(from+8(R10), CX); \
	ADDRESS(from+12(R10), DX); \
	ADDRESS(from+16(R10), SI); \
	ADDRESS(from+20(R10), DI); \
	ADDRESS(from+24(R10), R8); \
	ADDRESS(from+28(R10), R9)

// AHEAD asks for the point of the entry at from to be brought into the cache.
#define AHEAD(from) \
	MOVL       from, AX; \
	ANDL       $-2, AX; \
	SHLQ       $5, AX; \
	PREFETCHT0 (R15)(AX*1)

#define AHEAD8(from) \
	AHEAD(from+0(R10)); \
	AHEAD(from+4(R10)); \
	AHEAD(from+8(R10)); \
	AHEAD(from+12(R10)); \
	AHEAD(from+16(R10)); \
	AHEAD(from+20(R10)); \
	AHEAD(from+24(R10)); \
	AHEAD(from+28(R10))

// SOON and SOON8 do so, as far as the second level, for the entries at from(BX).
#define SOON(from) \
	MOVL       from, AX; \
	ANDL       $-2, AX; \
	SHLQ       $5, AX; \
	PREFETCHT1 (R15)(AX*1)

#define SOON8(from) \
	SOON(from+0(BX)); \
	SOON(from+4(BX)); \
	SOON(from+8(BX)); \
	SOON(from+12(BX)); \
	SOON(from+16(BX)); \
	SOON(from+20(BX)); \
	SOON(from+24(BX)); \
	SOON(from+28(BX))

// SIGNS sets the mask k to the signs of the eight entries at from(R10). It uses Z20.
#define SIGNS(from, k) \
	VPMOVZXDQ from(R10), Z20; \
	VPSLLQ    $63, Z20, Z20; \
	VPMOVQ2M  Z20, k

// ELEMENTS loads the eight elements of four words at the addresses + offset, and cuts
// them into limbs r0…r4. It uses Z10…Z13 and Z20…Z24.
#define ELEMENTS(offset, r0, r1, r2, r3, r4) \
	VMOVDQU      offset(AX), Y10; \
	VMOVDQU      offset(BX), Y11; \
	VMOVDQU      offset(SI), Y12; \
	VMOVDQU      offset(DI), Y13; \
	VINSERTI64X4 $1, offset(CX), Z10, Z10; \
	VINSERTI64X4 $1, offset(DX), Z11, Z11; \
	VINSERTI64X4 $1, offset(R8), Z12, Z12; \
	VINSERTI64X4 $1, offset(R9), Z13, Z13; \
	VPUNPCKLQDQ  Z11, Z10, Z20; \
	VPUNPCKHQDQ  Z11, Z10, Z21; \
	VPUNPCKLQDQ  Z13, Z12, Z22; \
	VPUNPCKHQDQ  Z13, Z12, Z23; \
	VSHUFI64X2   $0x88, Z22, Z20, Z10; \
	VSHUFI64X2   $0x88, Z23, Z21, Z11; \
	VSHUFI64X2   $0xDD, Z22, Z20, Z12; \
	VSHUFI64X2   $0xDD, Z23, Z21, Z13; \
	VPANDQ       Z31, Z10, r0; \
	VPSHRDQ      $52, Z11, Z10, Z24; \
	VPANDQ       Z31, Z24, r1; \
	VPSHRDQ      $40, Z12, Z11, Z24; \
	VPANDQ       Z31, Z24, r2; \
	VPSHRDQ      $28, Z13, Z12, Z24; \
	VPANDQ       Z31, Z24, r3; \
	VPSRLQ       $16, Z13, r4

// NEGATE makes y into p − y where the mask says so, with signed limbs.
#define NEGATE(k, y0, y1, y2, y3, y4) \
	VPSUBQ y0, Z25, k, y0; \
	VPSUBQ y1, Z26, k, y1; \
	VPSUBQ y2, Z27, k, y2; \
	VPSUBQ y3, Z28, k, y3; \
	VPSUBQ y4, Z29, k, y4

// SUBTRACT subtracts b from a, limb by limb.
#define SUBTRACT(b0, b1, b2, b3, b4, a0, a1, a2, a3, a4) \
	VPSUBQ b0, a0, a0; \
	VPSUBQ b1, a1, a1; \
	VPSUBQ b2, a2, a2; \
	VPSUBQ b3, a3, a3; \
	VPSUBQ b4, a4, a4

// ADDP adds p, limb by limb, and ADD2P adds 2p.
#define ADDP(a0, a1, a2, a3, a4) \
	VPADDQ Z25, a0, a0; \
	VPADDQ Z26, a1, a1; \
	VPADDQ Z27, a2, a2; \
	VPADDQ Z28, a3, a3; \
	VPADDQ Z29, a4, a4

#define ADD2P(a0, a1, a2, a3, a4) \
	VPADDQ.BCST field<>+56(SB), a0, a0; \
	VPADDQ.BCST field<>+64(SB), a1, a1; \
	VPADDQ.BCST field<>+72(SB), a2, a2; \
	VPADDQ.BCST field<>+80(SB), a3, a3; \
	VPADDQ.BCST field<>+88(SB), a4, a4

// KEEP replaces Z15…Z19 by the signed limbs Z10…Z14 where their value isn't negative.
// It uses Z20.
#define KEEP \
	CARRY(Z10, Z11, Z12, Z13, Z14, Z10, Z11, Z12, Z13, Z14); \
	VPMOVQ2M  Z14, K2; \
	KNOTB     K2, K2; \
	VMOVDQA64 Z10, K2, Z15; \
	VMOVDQA64 Z11, K2, Z16; \
	VMOVDQA64 Z12, K2, Z17; \
	VMOVDQA64 Z13, K2, Z18; \
	VMOVDQA64 Z14, K2, Z19

// CANONICAL brings Z15…Z19, below 4p, below p. It uses Z10…Z14 and Z20.
#define CANONICAL \
	VPSUBQ.BCST field<>+56(SB), Z15, Z10; \
	VPSUBQ.BCST field<>+64(SB), Z16, Z11; \
	VPSUBQ.BCST field<>+72(SB), Z17, Z12; \
	VPSUBQ.BCST field<>+80(SB), Z18, Z13; \
	VPSUBQ.BCST field<>+88(SB), Z19, Z14; \
	KEEP; \
	VPSUBQ Z25, Z15, Z10; \
	VPSUBQ Z26, Z16, Z11; \
	VPSUBQ Z27, Z17, Z12; \
	VPSUBQ Z28, Z18, Z13; \
	VPSUBQ Z29, Z19, Z14; \
	KEEP

// PUT stores Z15…Z19 as elements of four words at R13 + offset, 64 bytes apart. It uses
// Z10…Z13 and Z20…Z23.
#define PUT(offset) \
	VPSLLQ        $52, Z16, Z10; \
	VPORQ         Z15, Z10, Z10; \
	VPSRLQ        $12, Z16, Z11; \
	VPSLLQ        $40, Z17, Z20; \
	VPORQ         Z20, Z11, Z11; \
	VPSRLQ        $24, Z17, Z12; \
	VPSLLQ        $28, Z18, Z20; \
	VPORQ         Z20, Z12, Z12; \
	VPSRLQ        $36, Z18, Z13; \
	VPSLLQ        $16, Z19, Z20; \
	VPORQ         Z20, Z13, Z13; \
	VPUNPCKLQDQ   Z11, Z10, Z20; \
	VPUNPCKHQDQ   Z11, Z10, Z21; \
	VPUNPCKLQDQ   Z13, Z12, Z22; \
	VPUNPCKHQDQ   Z13, Z12, Z23; \
	VSHUFI64X2    $0x44, Z22, Z20, Z10; \
	VSHUFI64X2    $0x44, Z23, Z21, Z11; \
	VSHUFI64X2    $0xEE, Z22, Z20, Z12; \
	VSHUFI64X2    $0xEE, Z23, Z21, Z13; \
	VSHUFI64X2    $0xD8, Z10, Z10, Z10; \
	VSHUFI64X2    $0xD8, Z11, Z11, Z11; \
	VSHUFI64X2    $0xD8, Z12, Z12, Z12; \
	VSHUFI64X2    $0xD8, Z13, Z13, Z13; \
	VMOVDQU       Y10, offset+0(R13); \
	VMOVDQU       Y11, offset+64(R13); \
	VEXTRACTI64X4 $1, Z10, offset+128(R13); \
	VEXTRACTI64X4 $1, Z11, offset+192(R13); \
	VMOVDQU       Y12, offset+256(R13); \
	VMOVDQU       Y13, offset+320(R13); \
	VEXTRACTI64X4 $1, Z12, offset+384(R13); \
	VEXTRACTI64X4 $1, Z13, offset+448(R13)

// func multiplyBlocks(z, x, y *block, n int)
// z[i] = x[i]·y[i]/2^260, below 2p where x[i] and y[i] are below 8p.
TEXT ·multiplyBlocks(SB), NOSPLIT, $0-32
	MOVQ z+0(FP), R13
	MOVQ x+8(FP), R11
	MOVQ y+16(FP), R12
	MOVQ n+24(FP), R14
	CONSTANTS

multiply:
	TESTQ R14, R14
	JEQ   multiplied
	LOAD(R11, Z0, Z1, Z2, Z3, Z4)
	LOAD(R12, Z5, Z6, Z7, Z8, Z9)
	MULTIPLY(Z0, Z1, Z2, Z3, Z4, Z5, Z6, Z7, Z8, Z9)
	CARRY(Z15, Z16, Z17, Z18, Z19, Z15, Z16, Z17, Z18, Z19)
	STORE(Z15, Z16, Z17, Z18, Z19, R13)
	ADDQ  $320, R11
	ADDQ  $320, R12
	ADDQ  $320, R13
	DECQ  R14
	JMP   multiply

multiplied:
	VZEROUPPER
	RET

// func crossBlocks(x, y, z *block, n int)
// x[i], y[i] = z[i]·y[i]/2^260, z[i]·x[i]/2^260
TEXT ·crossBlocks(SB), NOSPLIT, $0-32
	MOVQ x+0(FP), R11
	MOVQ y+8(FP), R12
	MOVQ z+16(FP), R13
	MOVQ n+24(FP), R14
	CONSTANTS

cross:
	TESTQ R14, R14
	JEQ   crossed
	LOAD(R13, Z0, Z1, Z2, Z3, Z4)
	LOAD(R11, Z5, Z6, Z7, Z8, Z9)
	MULTIPLY(Z0, Z1, Z2, Z3, Z4, Z5, Z6, Z7, Z8, Z9)
	LOAD(R12, Z5, Z6, Z7, Z8, Z9)
	CARRY(Z15, Z16, Z17, Z18, Z19, Z15, Z16, Z17, Z18, Z19)
	STORE(Z15, Z16, Z17, Z18, Z19, R12)
	MULTIPLY(Z0, Z1, Z2, Z3, Z4, Z5, Z6, Z7, Z8, Z9)
	CARRY(Z15, Z16, Z17, Z18, Z19, Z15, Z16, Z17, Z18, Z19)
	STORE(Z15, Z16, Z17, Z18, Z19, R11)
	ADDQ  $320, R11
	ADDQ  $320, R12
	ADDQ  $320, R13
	DECQ  R14
	JMP   cross

crossed:
	VZEROUPPER
	RET

// func subtractPairs(d, e *block, equal *uint8, pairs *pairs, points *bn254.G1Affine, n int)
// d = x2 − x1 + p and e = y2 − y1 + p of eight pairs at a time; a bit of equal says
// that x1 = x2.
TEXT ·subtractPairs(SB), NOSPLIT, $0-48
	MOVQ d+0(FP), R11
	MOVQ e+8(FP), R12
	MOVQ equal+16(FP), R13
	MOVQ pairs+24(FP), R10
	MOVQ points+32(FP), R15
	MOVQ n+40(FP), R14
	CONSTANTS

	AHEAD8(64)
	AHEAD8(96)
	AHEAD8(128)
	AHEAD8(160)
	AHEAD8(192)
	AHEAD8(224)
	AHEAD8(256)
	AHEAD8(288)
	AHEAD8(320)
	AHEAD8(352)

subtract:
	TESTQ R14, R14
	JEQ   subtracted
	AHEAD8(384)
	AHEAD8(416)
	ADDRESSES(0)
	ELEMENTS(0, Z0, Z1, Z2, Z3, Z4)
	ELEMENTS(32, Z5, Z6, Z7, Z8, Z9)
	SIGNS(0, K1)
	NEGATE(K1, Z5, Z6, Z7, Z8, Z9)
	ADDRESSES(32)
	ELEMENTS(0, Z15, Z16, Z17, Z18, Z19)
	SUBTRACT(Z0, Z1, Z2, Z3, Z4, Z15, Z16, Z17, Z18, Z19)
	ADDP(Z15, Z16, Z17, Z18, Z19)
	CARRY(Z15, Z16, Z17, Z18, Z19, Z15, Z16, Z17, Z18, Z19)
	STORE(Z15, Z16, Z17, Z18, Z19, R11)
	VPCMPEQQ Z25, Z15, K2
	VPCMPEQQ Z26, Z16, K2, K2
	VPCMPEQQ Z27, Z17, K2, K2
	VPCMPEQQ Z28, Z18, K2, K2
	VPCMPEQQ Z29, Z19, K2, K2
	KMOVB    K2, (R13)
	ELEMENTS(32, Z15, Z16, Z17, Z18, Z19)
	SIGNS(32, K1)
	NEGATE(K1, Z15, Z16, Z17, Z18, Z19)
	SUBTRACT(Z5, Z6, Z7, Z8, Z9, Z15, Z16, Z17, Z18, Z19)
	ADDP(Z15, Z16, Z17, Z18, Z19)
	CARRY(Z15, Z16, Z17, Z18, Z19, Z15, Z16, Z17, Z18, Z19)
	STORE(Z15, Z16, Z17, Z18, Z19, R12)
	ADDQ  $64, R10
	ADDQ  $320, R11
	ADDQ  $320, R12
	INCQ  R13
	DECQ  R14
	JMP   subtract

subtracted:
	VZEROUPPER
	RET

// func finishPairs(sums *bn254.G1Affine, d, e *block, pairs *pairs, points *bn254.G1Affine, n int, ahead *entry)
// The sums of eight pairs at a time from e = (y2 − y1)·2^256 and d = 2^262/(x2 − x1),
// both below 2p, as numbers mod p. Coordinates carry gnark-crypto's factor 2^256:
// λ = e·d/2^260 = slope·2^258, x = λ²/2^260 − x1 − x2, y = λ·4(x1 − x)/2^260 − y1.
// Meanwhile the points of 16·n entries at ahead, if not nil, are brought into the cache.
TEXT ·finishPairs(SB), NOSPLIT, $0-56
	MOVQ sums+0(FP), R13
	MOVQ d+8(FP), R11
	MOVQ e+16(FP), R12
	MOVQ pairs+24(FP), R10
	MOVQ points+32(FP), R15
	MOVQ n+40(FP), R14
	CONSTANTS

finish:
	TESTQ R14, R14
	JEQ   finished
	MOVQ  ahead+48(FP), BX
	TESTQ BX, BX
	JEQ   chord
	SOON8(0)
	SOON8(32)
	ADDQ  $64, BX
	MOVQ  BX, ahead+48(FP)

chord:
	LOAD(R12, Z0, Z1, Z2, Z3, Z4)
	LOAD(R11, Z5, Z6, Z7, Z8, Z9)
	MULTIPLY(Z0, Z1, Z2, Z3, Z4, Z5, Z6, Z7, Z8, Z9)
	CARRY(Z15, Z16, Z17, Z18, Z19, Z0, Z1, Z2, Z3, Z4)
	MULTIPLY(Z0, Z1, Z2, Z3, Z4, Z0, Z1, Z2, Z3, Z4)
	ADD2P(Z15, Z16, Z17, Z18, Z19)
	ADDRESSES(32)
	ELEMENTS(0, Z5, Z6, Z7, Z8, Z9)
	SUBTRACT(Z5, Z6, Z7, Z8, Z9, Z15, Z16, Z17, Z18, Z19)
	ADDRESSES(0)
	ELEMENTS(0, Z5, Z6, Z7, Z8, Z9)
	SUBTRACT(Z5, Z6, Z7, Z8, Z9, Z15, Z16, Z17, Z18, Z19)
	CARRY(Z15, Z16, Z17, Z18, Z19, Z15, Z16, Z17, Z18, Z19)
	CANONICAL
	PUT(0)
	SUBTRACT(Z15, Z16, Z17, Z18, Z19, Z5, Z6, Z7, Z8, Z9)
	ADDP(Z5, Z6, Z7, Z8, Z9)
	VPSLLQ $2, Z5, Z5
	VPSLLQ $2, Z6, Z6
	VPSLLQ $2, Z7, Z7
	VPSLLQ $2, Z8, Z8
	VPSLLQ $2, Z9, Z9
	CARRY(Z5, Z6, Z7, Z8, Z9, Z5, Z6, Z7, Z8, Z9)
	MULTIPLY(Z0, Z1, Z2, Z3, Z4, Z5, Z6, Z7, Z8, Z9)
	ADDP(Z15, Z16, Z17, Z18, Z19)
	ELEMENTS(32, Z5, Z6, Z7, Z8, Z9)
	SIGNS(0, K1)
	NEGATE(K1, Z5, Z6, Z7, Z8, Z9)
	SUBTRACT(Z5, Z6, Z7, Z8, Z9, Z15, Z16, Z17, Z18, Z19)
	CARRY(Z15, Z16, Z17, Z18, Z19, Z15, Z16, Z17, Z18, Z19)
	CANONICAL
	PUT(32)
	ADDQ  $64, R10
	ADDQ  $320, R11
	ADDQ  $320, R12
	ADDQ  $512, R13
	DECQ  R14
	JMP   finish

finished:
	VZEROUPPER
	RET
