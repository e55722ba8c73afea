# Writes text: words by a fixed pseudo-random rule, some numbers. -v lines=N
BEGIN {
    n = split("the of register memory and signal thread in block page is host guest a to lift link " \
              "region unit code cache table value stack frame call return branch", word, " ")
    r = 7
    for (i = 0; i < lines; i++) {
        line = ""
        for (j = 0; j < 9; j++) {
            r = (r * 16807) % 2147483647
            line = line word[r % n + 1] (r % 13 == 0 ? r % 1000 : "") " "
        }
        print line r
    }
}
