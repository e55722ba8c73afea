# povray: a small scene with reflection, refraction, noise and constructive geometry; the picture's checksum
cat > t.pov <<'V'
#version 3.7; global_settings { assumed_gamma 1 }
camera { location <0, 2, -6> look_at <0, 1, 0> } light_source { <5, 8, -5> color rgb 1 } background { color rgb <0.1, 0.2, 0.4> }
plane { y, 0 pigment { checker color rgb 1 color rgb 0.2 } finish { reflection 0.2 } }
sphere { <0, 1, 0>, 1 pigment { color rgbt <1, 0.9, 0.9, 0.8> } interior { ior 1.5 } finish { specular 0.6 } }
difference { box { <-3, 0, 0>, <-1.5, 1.5, 1.5> } cylinder { <-2.2, -1, 0.7>, <-2.2, 3, 0.7>, 0.5 } pigment { bozo scale 0.3 color_map { [0 rgb x] [1 rgb y] } } }
torus { 0.8, 0.25 translate <2.2, 0.3, 0.5> pigment { granite scale 0.5 } normal { bumps 0.4 scale 0.1 } }
V
povray -w80 -h60 +FP8 -D +A0.3 +WT1 -GA -GD -GR -GS -GW +Ot.ppm t.pov >log 2>&1; echo "status $?"; tail -c 14400 t.ppm | sha256sum # not the comments with the date
