/**
 * @file snn_asm.h
 * How functions are written in assembly here; no part of the interface.
 *
 * As text of the compiler's own language rather than in files of another one, so that every build system that takes
 * C takes them.
 */
#ifndef SNN_ASM_H
#define SNN_ASM_H

#define SNN_FUNCTION(name, code)                                                                                       \
    __asm__(".syntax unified\n"                                                                                        \
            ".section .text." name ",\"ax\",%progbits\n"                                                               \
            ".balign 4\n"                                                                                              \
            ".global " name "\n"                                                                                       \
            ".thumb_func\n"                                                                                            \
            ".type " name ", %function\n" name ":\n" code ".size " name ", . - " name "\n"                             \
            ".text\n")

#endif
