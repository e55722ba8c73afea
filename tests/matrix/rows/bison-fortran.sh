# flex and bison make a calculator; gfortran computes; gettext, m4, file know their formats
# grade=medium group=build time=200 memory=1000 engines="qemu auto bt"
cat >c.y <<'Y'
%{
#include <stdio.h>
int yylex(void); void yyerror(const char *s) { printf("%s\n", s); }
%}
%define api.value.type {double}
%token N
%left '+' '-'
%left '*' '/'
%%
l: | l e '\n' { printf("%.6g\n", $2); } | l error '\n' { yyerrok; }
e: N | e '+' e { $$ = $1 + $3; } | e '-' e { $$ = $1 - $3; } | e '*' e { $$ = $1 * $3; } | e '/' e { $$ = $1 / $3; } | '(' e ')' { $$ = $2; }
%%
int main(void) { return yyparse(); }
Y
printf '%%option noyywrap noinput nounput\n%%{\n#include <stdlib.h>\n#include "c.tab.h"\n%%}\n%%%%\n[0-9.]+ { yylval = atof(yytext); return N; }\n[ \\t]+ ;\n.|\\n return *yytext;\n' >c.l
bison -d c.y && flex c.l && gcc -o c c.tab.c lex.yy.c && printf '1 + 2 * 3\n(4 - 6) / 7\n1 +\n9\n' | ./c
cat >f.f90 <<'F'
program f
  implicit none
  integer, parameter :: n = 60
  real(8) :: a(n, n), b(n, n), c(n, n); integer :: i, j
  complex(8) :: z
  do i = 1, n; do j = 1, n; a(i, j) = 1d0 / (i + j - 1); b(i, j) = mod(i * j, 7); end do; end do
  c = matmul(a, b); print '(3f14.8)', c(1, 1), c(n, n), sum(c); z = exp((0d0, 1d0)); print '(2f12.8)', z; print '(es20.12)', gamma(5.5d0); print '(i0)', count(c > 1d0)
end program
F
gfortran -O2 -ffp-contract=off -o f f.f90 && ./f; printf 'define(`f'"'"', `ifelse($1, 0, 1, `eval($1 * f(decr($1)))'"'"')'"'"')f(10)\n' | m4
printf 'msgid ""\nmsgstr "Content-Type: text/plain; charset=UTF-8\\n"\n\nmsgid "hello"\nmsgstr "hallo"\n' >m.po; msgfmt -o m.mo m.po && file m.mo | cut -d, -f1; msgunfmt m.mo | tail -n 1; pkgconf --version | grep -c .
