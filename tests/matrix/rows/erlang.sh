# erlang: thousands of processes, binaries, exceptions, ports, its native code generator
# grade=hard group=runtimes time=200 memory=2000
cat >t.erl <<'L'
-module(t). -export([main/0]).
ring(0, P) -> P; ring(N, P) -> ring(N - 1, spawn(fun() -> loop(P) end)).
loop(P) -> receive X -> P ! X, loop(P) end.
fib(N) when N < 2 -> N; fib(N) -> fib(N - 1) + fib(N - 2).
main() ->
    R = ring(2000, self()), [R ! I || I <- lists:seq(1, 20)], io:format("~p~n", [lists:sum([receive X -> X end || _ <- lists:seq(1, 20)])]), io:format("~p ~p~n", [fib(23), length(integer_to_list(fact(500)))]),
    io:format("~p~n", [catch list_to_integer("x")]), io:format("~p~n", [try 1 / zero() catch error:E -> E end]), <<A:12, B:20, C/binary>> = <<"hello world">>, io:format("~p ~p ~s~n", [A, B, C]),
    io:format("~s", [os:cmd("echo port; exit 2")]), P = open_port({spawn, "cat"}, [binary]), P ! {self(), {command, <<"data">>}}, receive {P, {data, D}} -> io:format("~s~n", [D]) end, T = ets:new(x, [set]), [ets:insert(T, {I rem 1000, I}) || I <- lists:seq(1, 50000)], io:format("~p~n", [ets:info(T, size)]), M = maps:from_list([{I, I * I} || I <- lists:seq(1, 1000)]), io:format("~p ~p~n", [maps:get(30, M), math:sqrt(2)]), io:format("~p~n", [erlang:crc32("abc")]), {ok, L} = gen_tcp:listen(0, [binary, {active, false}]), {ok, Pt} = inet:port(L), spawn(fun() -> {ok, S} = gen_tcp:accept(L), {ok, Q} = gen_tcp:recv(S, 0), gen_tcp:send(S, [Q, Q]) end), {ok, K} = gen_tcp:connect({127, 0, 0, 1}, Pt, [binary, {active, false}]), gen_tcp:send(K, "ab"), io:format("~p~n", [gen_tcp:recv(K, 4)]), halt(3).
zero() -> 0. fact(0) -> 1; fact(N) -> N * fact(N - 1).
L
erlc t.erl && erl -noshell -s t main; echo $?
