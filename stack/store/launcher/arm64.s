# The same as amd64.s, which explains it, for another CPU. System calls: write 64, readlinkat 78,
# exit 93, chdir 49, execve 221.
    .globl _start
_start:
    mov     x29, sp                     // argument count, arguments, NULL, environment
    ldr     x28, [x29]
    mov     x9, #(4096 + 65536 + 64*8) & 0xffff
    movk    x9, #(4096 + 65536 + 64*8) >> 16, lsl #16
    add     x9, x9, x28, lsl #3
    and     x9, x9, #-16
    sub     x9, x29, x9
    and     sp, x9, #-16
    mov     x19, sp                     // the path of this file
    add     x20, x19, #4096             // where the next text goes
    add     x21, x20, #65536            // where its address goes
    mov     x22, x21

    mov     x0, #-100                   // readlinkat(AT_FDCWD, "/proc/self/exe", sp, 4096)
    adr     x1, self
    mov     x2, x19
    mov     x3, #4096
    mov     x8, #78
    svc     #0
    cmp     x0, #4096                   // an error is a large number here
    b.hs    failed

    adr     x23, table
    ldrb    w10, [x23], #1
    add     x11, x19, x0
output:                                 // x24: length of the output's path
    sub     x11, x11, #1
    cmp     x11, x19
    b.lo    failed
    ldrb    w12, [x11]
    cmp     w12, #'/'
    b.ne    output
    subs    w10, w10, #1
    b.ne    output
    sub     x24, x11, x19
store:                                  // x25: length of the store's path
    sub     x11, x11, #1
    cmp     x11, x19
    b.lo    failed
    ldrb    w12, [x11]
    cmp     w12, #'/'
    b.ne    store
    sub     x25, x11, x19

string:
    ldrb    w12, [x23]
    cbz     w12, given
    str     x20, [x22], #8
character:
    ldrb    w12, [x23], #1
    mov     x13, x24
    cmp     w12, #1
    b.eq    path
    mov     x13, x25
    cmp     w12, #2
    b.eq    path
    strb    w12, [x20], #1
    cbnz    w12, character
    b       string
path:
    mov     x14, x19
copy:
    cbz     x13, character
    ldrb    w12, [x14], #1
    strb    w12, [x20], #1
    sub     x13, x13, #1
    b       copy

given:                                  // its own arguments, without the first, and the NULL
    add     x11, x29, #16
next:
    ldr     x12, [x11], #8
    str     x12, [x22], #8
    sub     x28, x28, #1
    cbnz    x28, next                   // x11 ends at the environment
    ldr     x0, [x21], #8
    ldrb    w12, [x0]
    cmp     w12, #'/'
    b.ne    run
    mov     x8, #49
    svc     #0
    cbnz    w0, failed
run:
    ldr     x0, [x21]
    mov     x1, x21
    mov     x2, x11
    mov     x8, #221
    svc     #0
failed:
    mov     x0, #2
    adr     x1, why
    mov     x2, #self - why
    mov     x8, #64
    svc     #0
    mov     x0, #126
    mov     x8, #93
    svc     #0
why:
    .ascii  "cannot start: the loader of its closure, its folder or /proc is missing\n"
self:
    .asciz  "/proc/self/exe"
table:
