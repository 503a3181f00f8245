# Starts a program with the loader and the libraries of its own closure, wherever the store is,
# on a machine that has nothing but a kernel. What it starts, the table after the code says:
#
#   one byte   how many parts of this file's path lie below its output's folder
#   strings    each ended by NUL, in which \1 stands for the output's folder, \2 for the store:
#              the working directory ("." to keep it), then the arguments, the program first
#   NUL        the end; the arguments that it was given itself are appended
#
# Stack, from rsp: 4096 bytes path of this file, 65536 bytes for the texts, the list of arguments.
    .intel_syntax noprefix
    .globl _start
_start:
    mov     rbp, rsp                    # argument count, arguments, NULL, environment
    mov     rax, [rbp]
    lea     rax, [rax*8 + 4096 + 65536 + 64*8]
    and     rax, -16
    sub     rsp, rax

    lea     rdi, self[rip]              # readlink("/proc/self/exe", rsp, 4096)
    mov     rsi, rsp
    mov     edx, 4096
    mov     eax, 89
    syscall
    cmp     rax, 4096                   # an error is a large number here
    jae     failed

    lea     rsi, table[rip]
    movzx   ecx, byte ptr [rsi]
    inc     rsi
    lea     rdi, [rsp + rax]
output:                                 # r12: length of the output's path
    dec     rdi
    cmp     rdi, rsp
    jb      failed
    cmp     byte ptr [rdi], '/'
    jne     output
    dec     ecx
    jnz     output
    mov     r12, rdi
    sub     r12, rsp
store:                                  # r13: length of the store's path
    dec     rdi
    cmp     rdi, rsp
    jb      failed
    cmp     byte ptr [rdi], '/'
    jne     store
    mov     r13, rdi
    sub     r13, rsp

    lea     rdi, [rsp + 4096]           # where the next text goes
    lea     r14, [rsp + 4096 + 65536]   # where its address goes
string:
    cmp     byte ptr [rsi], 0
    je      given
    mov     [r14], rdi
    add     r14, 8
character:
    lodsb
    mov     ecx, r12d
    cmp     al, 1
    je      path
    mov     ecx, r13d
    cmp     al, 2
    je      path
    stosb
    test    al, al
    jnz     character
    jmp     string
path:
    mov     rdx, rsi
    mov     rsi, rsp
    rep movsb
    mov     rsi, rdx
    jmp     character

given:                                  # its own arguments, without the first, and the NULL
    mov     rcx, [rbp]
    lea     rsi, [rbp + 16]
    mov     rdi, r14
    rep movsq
    lea     r14, [rsp + 4096 + 65536]
    mov     rdi, [r14]
    cmp     byte ptr [rdi], '/'
    jne     run
    mov     eax, 80                     # chdir
    syscall
    test    eax, eax
    jnz     failed
run:
    mov     rdx, [rbp]
    lea     rdx, [rbp + 16 + rdx*8]     # the environment
    lea     rsi, [r14 + 8]
    mov     rdi, [rsi]
    mov     eax, 59                     # execve
    syscall
failed:
    mov     edi, 2                      # write(2, why, ...)
    lea     rsi, why[rip]
    mov     edx, offset self - why
    mov     eax, 1
    syscall
    mov     edi, 126
    mov     eax, 60                     # exit
    syscall
why:
    .ascii  "cannot start: the loader of its closure, its folder or /proc is missing\n"
self:
    .asciz  "/proc/self/exe"
table:
