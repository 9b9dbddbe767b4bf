/* The same switch without the kernel: keep the registers that a function must keep (the
   "callee-saved" of each machine's calling convention), change the stack pointer, return.
   The caller has kept all others already: to it this is a call like any other. */
#include "coro/switch.h"

#include <stdint.h>
#include <string.h>

#ifdef CORO_ASSEMBLY

void fibre_first(void);    /* where a new fibre's first fibre_swap returns to */

#if defined __x86_64__

/* System V ABI, AMD64 supplement, section 3.2.1. mxcsr and the x87 control word are kept
   too: how to round. */
__asm__(".text\n"
        ".globl fibre_swap\n"
        ".type fibre_swap, @function\n"
        "fibre_swap:\n"
        "    pushq %rbp\n"
        "    pushq %rbx\n"
        "    pushq %r12\n"
        "    pushq %r13\n"
        "    pushq %r14\n"
        "    pushq %r15\n"
        "    subq $8, %rsp\n"
        "    stmxcsr (%rsp)\n"
        "    fnstcw 4(%rsp)\n"
        "    movq %rsp, (%rdi)\n"
        "    movq %rsi, %rsp\n"    /* from here on it is the other stack */
        "    ldmxcsr (%rsp)\n"
        "    fldcw 4(%rsp)\n"
        "    addq $8, %rsp\n"
        "    popq %r15\n"
        "    popq %r14\n"
        "    popq %r13\n"
        "    popq %r12\n"
        "    popq %rbx\n"
        "    popq %rbp\n"
        "    popq %rcx\n"    /* not ret, predicted by the stack that we left */
        "    jmp *%rcx\n"
        ".size fibre_swap, .-fibre_swap\n"
        ".globl fibre_first\n"
        ".type fibre_first, @function\n"
        "fibre_first:\n"
        "    .cfi_startproc\n"
        "    .cfi_undefined rip\n"    /* a debugger's backtrace ends here */
        "    movq %r13, %rdi\n"
        "    call *%r12\n"
        "    ud2\n"
        "    .cfi_endproc\n"
        ".size fibre_first, .-fibre_first\n");

void *fibre_registers(void *top, void (*begin)(void *), void *arg)
{
    /* r15 r14 r13 r12 rbx rbp, return address; a call pushes 8, onto a multiple of 16 */
    uintptr_t *registers = (uintptr_t *)((uintptr_t)top / 16 * 16) - 8;
    memset(registers, 0, 8 * sizeof *registers);
    uint32_t *control = (uint32_t *)registers;
    __asm__ volatile("stmxcsr %0" : "=m"(control[0]));
    __asm__ volatile("fnstcw %0" : "=m"(control[1]));
    registers[3] = (uintptr_t)arg;
    registers[4] = (uintptr_t)begin;
    registers[7] = (uintptr_t)fibre_first;
    return registers;
}

#elif defined __aarch64__

/* Procedure Call Standard for the Arm 64-bit Architecture, section 6.1: x19 to x30, and
   the low halves of v8 to v15. */
__asm__(".text\n"
        ".globl fibre_swap\n"
        ".type fibre_swap, %function\n"
        "fibre_swap:\n"
        "    sub sp, sp, #160\n"
        "    stp x19, x20, [sp, #0]\n"
        "    stp x21, x22, [sp, #16]\n"
        "    stp x23, x24, [sp, #32]\n"
        "    stp x25, x26, [sp, #48]\n"
        "    stp x27, x28, [sp, #64]\n"
        "    stp x29, x30, [sp, #80]\n"
        "    stp d8, d9, [sp, #96]\n"
        "    stp d10, d11, [sp, #112]\n"
        "    stp d12, d13, [sp, #128]\n"
        "    stp d14, d15, [sp, #144]\n"
        "    mov x9, sp\n"
        "    str x9, [x0]\n"
        "    mov sp, x1\n"    /* from here on it is the other stack */
        "    ldp x19, x20, [sp, #0]\n"
        "    ldp x21, x22, [sp, #16]\n"
        "    ldp x23, x24, [sp, #32]\n"
        "    ldp x25, x26, [sp, #48]\n"
        "    ldp x27, x28, [sp, #64]\n"
        "    ldp x29, x30, [sp, #80]\n"
        "    ldp d8, d9, [sp, #96]\n"
        "    ldp d10, d11, [sp, #112]\n"
        "    ldp d12, d13, [sp, #128]\n"
        "    ldp d14, d15, [sp, #144]\n"
        "    add sp, sp, #160\n"
        "    ret\n"
        ".size fibre_swap, .-fibre_swap\n"
        ".globl fibre_first\n"
        ".type fibre_first, %function\n"
        "fibre_first:\n"
        "    .cfi_startproc\n"
        "    .cfi_undefined x30\n"    /* a debugger's backtrace ends here */
        "    mov x0, x20\n"
        "    blr x19\n"
        "    brk #0\n"
        "    .cfi_endproc\n"
        ".size fibre_first, .-fibre_first\n");

void *fibre_registers(void *top, void (*begin)(void *), void *arg)
{
    uintptr_t *registers = (uintptr_t *)((uintptr_t)top / 16 * 16) - 20;
    memset(registers, 0, 20 * sizeof *registers);
    registers[0] = (uintptr_t)begin;
    registers[1] = (uintptr_t)arg;
    registers[11] = (uintptr_t)fibre_first;
    return registers;
}

#else
#error "SWITCH=assembly knows x86-64 and aarch64; build without it"
#endif

#endif    /* CORO_ASSEMBLY; without it this file only declares */
