# povray renders a scene with two threads; the picture is known
# grade=medium group=media time=200 memory=1000
cat >s.pov <<'P'
#version 3.7; global_settings { assumed_gamma 1 } camera { location <0, 2, -5> look_at 0 } light_source { <5, 8, -6> rgb 1 } plane { y, -1 pigment { checker rgb 1 rgb <.2, .3, .6> } finish { reflection .2 } } sphere { 0, 1 pigment { rgb <.8, .2, .1> } finish { phong 1 reflection .3 } } torus { 1.6, .2 rotate x * 20 pigment { rgb <.1, .7, .2> } }
P
povray +Is.pov +W120 +H90 +FP8 +Oo.ppm -D -V +WT2 >log 2>&1; echo $?; grep -o 'Pixels: *[0-9]*' log | tr -s ' ' | head -n 1; head -n 1 o.ppm
# means of twelve squares: compilers' fused multiplications change single pixels
python3 -c '
d = open("o.ppm", "rb").read()[-120 * 90 * 3:]
print(*["%02x" % round(sum(d[(y * 120 + x) * 3 + c] for y in range(r * 30, r * 30 + 30) for x in range(k * 30, k * 30 + 30)) / 900) for r in range(3) for k in range(4) for c in range(3)], sep="")'
