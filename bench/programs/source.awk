# Writes a C source file of many functions of several kinds. -v functions=N
BEGIN {
    print "struct item { struct item *next; int key; double weight; char name[16]; };"
    print "int strcmp(const char *, const char *);"
    for (i = 0; i < functions; i++) {
        printf "static int walk%d(struct item *p, int limit)\n{\n", i
        printf "    int sum = %d;\n    for (; p && limit--; p = p->next) {\n", i
        printf "        switch (p->key %% %d) {\n", 5 + i % 4
        for (j = 0; j < 5; j++)
            printf "        case %d: sum += p->key * %d; p->weight *= %d.5; break;\n", j, i + j, j + 1
        printf "        default: if (strcmp(p->name, \"n%d\")) sum ^= p->key << %d; else sum--;\n", i, i % 7
        print "        }\n    }\n    return sum;\n}"
        printf "double mix%d(struct item *p, double *a, unsigned n)\n{\n    double total = 0;\n", i
        printf "    for (unsigned i = %d; i < n; i++) {\n        unsigned k = i * %du >> 3;\n", i % 3, 77 + i
        printf "        total += a[i] * p->weight + (double)(k & %d);\n", 255 - i % 50
        printf "        if (k > n) a[i] = total; else a[k %% n] -= total;\n    }\n"
        printf "    return total + walk%d(p, (int)n)%s;\n}\n", i, i ? " + mix" (i - 1) "(p->next, a, n)" : ""
    }
}
