# x264, x265 and ffmpeg's encoders and decoders give, bit for bit, what they give natively without assembler code
# grade=hard group=suites time=600 memory=1500 expect=native engines="qemu auto bt"
l=$(ls -d /usr/lib/*/blas | sed 's/.blas$//'); [ -e $l/libblas.so.3 ] || ln -s blas/libblas.so.3 $l/libblas.so.3; [ -e $l/liblapack.so.3 ] || ln -s lapack/liblapack.so.3 $l/liblapack.so.3
[ "$(uname -m)" != x86_64 ] || { c=--no-asm f='-cpuflags 0'; }
python3 -c '
w, h = 176, 144; out = open("v.y4m", "wb"); out.write(b"YUV4MPEG2 W176 H144 F25:1 Ip A1:1 C420jpeg\n")
for n in range(12):
    out.write(b"FRAME\n" + bytes((((x + n) * (x - n) // (n + 9) + y * (n + 7) + ((x ^ y) * n >> 2)) >> 1) & 255 for y in range(h) for x in range(w)))
    for k in 3, 5: out.write(bytes((x * k + n * 3 + y * y // 8) & 255 for y in range(h // 2) for x in range(w // 2)))
a = 1; pcm = open("s.raw", "wb")
for n in range(24000): a = a * 1103515245 + 12345 & 0x7fffffff; pcm.write((((n * n >> 6) % 20000 - 10000) + (a >> 20) & 0xffff).to_bytes(2, "little"))'
for o in '--preset veryfast --qp 26' '--preset medium --qp 22 --bframes 2' '--preset slow --crf 24'; do x264 $c --cpu-independent --threads 1 --quiet $o --demuxer y4m -o x.264 v.y4m 2>err && ffmpeg -v error -nostdin -i x.264 -c copy -bsf:v filter_units=remove_types=6 -f h264 - | md5sum || cat err; done
# x265's NEON code gives other bits than its C code, on any machine; the C code is vectorized by the compiler
for o in '--preset ultrafast --qp 30' '--preset medium --qp 26 --frames 6' '--preset slow --qp 24 --frames 4'; do x265 --no-asm --aq-mode 0 --no-cutree --pools 1 --frame-threads 1 --no-wpp --no-info --log-level none $o --y4m -o x.265 v.y4m 2>err && md5sum <x.265 || cat err; done
g() { ffmpeg -v error -nostdin $f -flags +bitexact -fflags +bitexact "$@"; }
for i in x.264 x.265; do g -i $i -f framemd5 - | tail -n 2; done
for e in 'mpeg4 -qscale 4 -bf 1' 'mpeg2video -qscale 3 -bf 2' 'mjpeg -qscale 3 -pix_fmt yuvj420p' 'ffv1 -level 3' huffyuv h263p 'prores -profile:v 2 -pix_fmt yuv422p10le -sws_flags bitexact+accurate_rnd' 'png -pix_fmt rgb24 -sws_flags bitexact+accurate_rnd' snow jpegls; do g -i v.y4m -dct int -idct simple -c:v $e -y m.mkv && { g -i m.mkv -c copy -f md5 -; g -idct simple -i m.mkv -f framemd5 - | tail -n 1; }; done
for e in flac ac3_fixed alac wavpack adpcm_ms g722 mp2fixed tta; do g -f s16le -ar 48000 -ac 1 -i s.raw -c:a $e -y a.mka && { g -i a.mka -c copy -f md5 -; g $([ "$e" != ac3_fixed ] || echo -c:a ac3_fixed) -i a.mka -f md5 -; }; done
for s in 'scale=90:70:flags=bicubic+bitexact+accurate_rnd+full_chroma_int' 'scale=352:288:flags=lanczos+bitexact+accurate_rnd' hflip,vflip 'yadif' 'hqdn3d' 'unsharp' 'eq=contrast=1.2' 'overlay=10:10:format=yuv420'; do g -i v.y4m -i v.y4m -filter_complex "$(case $s in overlay*) echo "[0][1]$s" ;; *) echo "[0]$s" ;; esac)" -f framemd5 - | tail -n 1; done
