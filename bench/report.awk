# Turns the results of run.sh into text. Rows on input, separated by tabs: group, name, then native,
# peer and Dragoman as "USER+SYSTEM WALL" in microseconds or "- -", and a note.
# -v form=line: one line per row; markdown: the table and the geometric means; svg: the plot.
BEGIN { FS = "\t" }
{
    split($3, native, " "); split($4, peer, " "); split($5, ours, " ")
    n++
    group[n] = $1; name[n] = $2; note[n] = $6
    base[n] = native[1]
    wall[n] = native[2] == "-" || ours[2] == "-" ? "-" : ours[2] / native[2]
    p[n] = ratio(peer[1], native[1])
    d[n] = ratio(ours[1], native[1])
    gain[n] = ratio(peer[1], ours[1])
    if (!($1 in rows)) order[++groups] = $1
    rows[$1]++
    if (p[n] != "-" && d[n] != "-") {
        both[$1]++
        log_p[$1] += log(p[n]); log_d[$1] += log(d[n])
        if (d[n] > worst[$1]) worst[$1] = d[n]
    }
    if (form == "line")
        printf "%-12.12s %-32s %9.1f ms  qemu %6s  dragoman %6s  %s\n", $1, $2, native[1] / 1000,
            show(p[n]), show(d[n]), $6
}
function ratio(a, b) { return a == "-" || b == "-" ? "-" : (a > 0 ? a : 1) / (b > 0 ? b : 1) }
function show(r) { return r == "-" ? "-" : sprintf(r < 100 ? "%.2f" : "%.0f", r) }
function escaped(s) { gsub(/&/, "\\&amp;", s); gsub(/</, "\\&lt;", s); return s }
function x_of(r) { r = r < 0.5 ? 0.5 : r > 200 ? 200 : r; return 250 + 560 * log(r / 0.5) / log(400) }
END {
    if (form == "markdown") {
        print "| group | row | native, ms | qemu | Dragoman | qemu / Dragoman | Dragoman, wall | note |"
        print "|---|---|---:|---:|---:|---:|---:|---|"
        for (i = 1; i <= n; i++)
            printf "| %s | %s | %s | %s | %s | %s | %s | %s |\n", group[i], name[i],
                base[i] == "-" ? "-" : sprintf("%.1f", base[i] / 1000), show(p[i]), show(d[i]), show(gain[i]),
                show(wall[i]), note[i]
        print ""
        print "| group | rows | of which all three ran | qemu, geomean | Dragoman, geomean | Dragoman, worst |"
        print "|---|---:|---:|---:|---:|---:|"
        for (g = 1; g <= groups; g++) {
            k = order[g]
            if (both[k])
                printf "| %s | %d | %d | %.2f | %.2f | %.2f |\n", k, rows[k], both[k],
                    exp(log_p[k] / both[k]), exp(log_d[k] / both[k]), worst[k]
            else
                printf "| %s | %d | 0 | - | - | - |\n", k, rows[k]
        }
    }
    if (form == "svg") {
        height = 60 + 16 * n
        printf "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"840\" height=\"%d\" font-family=\"sans-serif\" font-size=\"11\">\n", height
        print "<rect width=\"100%\" height=\"100%\" fill=\"white\"/>"
        print "<text x=\"250\" y=\"16\">times native, user + system, logarithmic</text>"
        print "<text x=\"600\" y=\"16\" fill=\"#c60\">qemu</text>"
        print "<text x=\"660\" y=\"16\" fill=\"#06c\">Dragoman</text>"
        for (i = split("0.5 1 2 5 10 20 50 100 200", tick, " "); i > 0; i--) {
            x = x_of(tick[i])
            printf "<line x1=\"%.1f\" x2=\"%.1f\" y1=\"36\" y2=\"%d\" stroke=\"%s\"/>", x, x, height - 16,
                tick[i] == 1 ? "#444" : "#ccc"
            printf "<text x=\"%.1f\" y=\"32\" text-anchor=\"middle\">%s</text>\n", x, tick[i]
        }
        for (i = 1; i <= n; i++) {
            y = 36 + 16 * i
            printf "<text x=\"244\" y=\"%d\" text-anchor=\"end\">%s</text>\n", y, escaped(name[i])
            if (p[i] != "-" && d[i] != "-")
                printf "<line x1=\"%.1f\" x2=\"%.1f\" y1=\"%d\" y2=\"%d\" stroke=\"#999\"/>", x_of(p[i]), x_of(d[i]),
                    y - 4, y - 4
            if (p[i] != "-")
                printf "<circle cx=\"%.1f\" cy=\"%d\" r=\"4\" fill=\"#c60\"/>", x_of(p[i]), y - 4
            if (d[i] != "-")
                printf "<circle cx=\"%.1f\" cy=\"%d\" r=\"4\" fill=\"#06c\"/>\n", x_of(d[i]), y - 4
            else
                printf "<text x=\"256\" y=\"%d\" fill=\"#c00\">%s</text>\n", y, escaped(note[i])
        }
        print "</svg>"
    }
}
