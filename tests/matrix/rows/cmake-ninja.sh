# cmake with ninja: a C and C++ project with tests, configure checks, install
# grade=medium group=build time=400 memory=1500 engines="qemu auto bt"
mkdir s; cat >s/CMakeLists.txt <<'C'
cmake_minimum_required(VERSION 3.20)
project(p C CXX)
include(CheckIncludeFile) 
include(CheckSymbolExists)
check_include_file(sys/epoll.h HAVE_EPOLL)
check_symbol_exists(getrandom sys/random.h HAVE_GETRANDOM)
find_package(Threads REQUIRED)
add_library(l SHARED l.c)
add_executable(e e.cc)
target_link_libraries(e l Threads::Threads)
enable_testing()
add_test(NAME runs COMMAND e 6 7)
add_test(NAME fails COMMAND e)
set_tests_properties(fails PROPERTIES WILL_FAIL TRUE)
install(TARGETS e l)
message(STATUS "epoll ${HAVE_EPOLL} getrandom ${HAVE_GETRANDOM}")
C
echo 'int mul(int a, int b) { return a * b; }' >s/l.c; printf '#include <iostream>\n#include <thread>\n#include <cstdlib>\nextern "C" int mul(int, int);\nint main(int c, char **v) { if (c < 3) return 1; int r = 0; std::thread t([&] { r = mul(atoi(v[1]), atoi(v[2])); }); t.join(); std::cout << r << std::endl; return r != 42; }\n' >s/e.cc
cmake -G Ninja -S s -B b -DCMAKE_INSTALL_PREFIX=/tmp/i >log 2>&1 || tail log; grep -o 'epoll.*' log; ninja -C b >log2 2>&1 || tail log2; ./b/e 6 7; (cd b && ctest 2>&1 | grep 'tests passed'); cmake --install b >/dev/null; find i -type f | sort; ninja -C b | tail -n 1; cmake -E capabilities | head -c 20 | tr -d '\n'; echo
