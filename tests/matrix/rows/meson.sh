# meson: configure, build, unit tests, a subproject option, introspection
# grade=medium group=build time=400 memory=1500 engines="qemu auto bt"
mkdir s; cat >s/meson.build <<'M'
project('p', 'c', version: '1.2')
cc = meson.get_compiler('c')
conf = configuration_data()
conf.set('HAVE_POLL', cc.has_header('poll.h'))
conf.set('SIZE', cc.sizeof('long'))
configure_file(output: 'config.h', configuration: conf)
sub = subproject('sub', default_options: ['factor=3'])
l = library('l', 'l.c', install: true)
e = executable('e', 'e.c', link_with: l, dependencies: [sub.get_variable('dep'), dependency('threads'), cc.find_library('m')])
test('six', e, args: ['6'])
test('none', e, should_fail: true)
M
echo 'int twice(int x) { return x * 2; }' >s/l.c; printf '#include <math.h>\n#include <stdio.h>\n#include <stdlib.h>\n#include "config.h"\nint twice(int), times(int);\nint main(int c, char **v) { if (c < 2) return 1; printf("%%d %%d %%d %%.3f\\n", twice(atoi(v[1])), times(atoi(v[1])), SIZE, sqrt(atoi(v[1]))); return 0; }\n' >s/e.c
mkdir -p s/subprojects/sub; cat >s/subprojects/sub/meson.build <<'M'
project('sub', 'c')
dep = declare_dependency(link_with: static_library('sub', 'sub.c', c_args: '-DFACTOR=@0@'.format(get_option('factor'))))
M
echo "option('factor', type: 'integer', value: 1)" >s/subprojects/sub/meson_options.txt; echo 'int times(int x) { return x * FACTOR; }' >s/subprojects/sub/sub.c
meson setup s b >log 2>&1 || tail log; meson compile -C b >log2 2>&1 || tail log2; ./b/e 6; meson test -C b 2>&1 | grep '^Ok\|^Expected Fail\|^Fail' | tr -s ' '; DESTDIR=/tmp/d meson install -C b >/dev/null; find d -type f | wc -l; meson introspect b --targets | python3 -c 'import json, sys; print([t["name"] for t in json.load(sys.stdin)])'
