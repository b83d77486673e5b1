"""What test runners wrote, shortened: their closing lines with some of what stands around them."""

CARGO = """\
     Running unittests src/lib.rs (target/debug/deps/demo-8348ca7a)

running 5 tests
test tests::ign ... ignored
test tests::ok ... ok
test tests::bad ... FAILED
test tests::worse ... FAILED

failures:

---- tests::bad stdout ----
failures:
    not_a_test

thread 'tests::bad' (17053) panicked at src/lib.rs:8:45:
assertion `left == right` failed

failures:
    tests::bad
    tests::worse

test result: FAILED. 2 passed; 2 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.08s

error: test failed, to rerun pass `--lib`
     Running tests/it.rs (target/debug/deps/it-a6906377)

running 2 tests
test integ ... ok
test integ_bad ... FAILED

failures:

---- integ_bad stdout ----
explicit panic

failures:
    integ_bad

test result: FAILED. 1 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.06s

   Doc-tests demo

running 1 test
test src/lib.rs - x (line 1) ... ok

test result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.07s

error: 2 targets failed:
    `--lib`
    `--test it`
"""
NEXTEST = """\
        FAIL [   0.101s] (3/5) demo tests::bad
  stdout ───

    running 1 test
    test tests::bad ... FAILED

    failures:
        tests::bad

    test result: FAILED. 0 passed; 1 failed; 0 ignored; 0 measured; 4 filtered out; finished in 0.07s

────────────
\x1b[31;1m     Summary\x1b[0m [   0.183s] \x1b[1m5\x1b[0m tests run: 3 \x1b[32;1mpassed\x1b[0m, 1 failed, 1 timed out, 1 skipped
        FAIL [   0.101s] (3/5) demo tests::bad
     TIMEOUT [   0.075s] (5/5) demo::it integ_bad
error: test run failed
"""
GO = """\
# ex.org/e [ex.org/e.test]
e/e_test.go:3:28: undefined: undefined
--- FAIL: TestBad (0.00s)
    --- FAIL: TestBad/sub_one (0.00s)
        a_test.go:4: no
FAIL
FAIL\tex.org/a\t0.002s
ok  \tex.org/b\t0.002s
?   \tex.org/c\t[no test files]
--- FAIL: TestP (0.00s)
panic: oh [recovered]
FAIL\tex.org/d\t0.005s
FAIL\tex.org/e [build failed]
FAIL
"""
GO_VERBOSE = """\
=== RUN   TestOK
--- PASS: TestOK (0.00s)
=== RUN   TestBad
=== RUN   TestBad/sub_one
    a_test.go:4: no
=== RUN   TestBad/fine
--- FAIL: TestBad (0.00s)
    --- FAIL: TestBad/sub_one (0.00s)
    --- PASS: TestBad/fine (0.00s)
=== RUN   TestSkip
    a_test.go:5: later
--- SKIP: TestSkip (0.00s)
FAIL
FAIL\tex.org/a\t0.003s
=== RUN   TestB
--- PASS: TestB (0.00s)
PASS
ok  \tex.org/b\t0.002s
FAIL
"""
GO_JSON = """\
{"Action":"run","Package":"ex.org/a","Test":"TestOK"}
{"Action":"output","Package":"ex.org/a","Test":"TestOK","Output":"--- PASS: TestOK (0.00s)\\n"}
{"Action":"pass","Package":"ex.org/a","Test":"TestOK","Elapsed":0}
{"Action":"output","Package":"ex.org/a","Test":"TestBad","Output":"--- FAIL: TestBad (0.00s)\\n"}
{"Action":"fail","Package":"ex.org/a","Test":"TestBad/sub_one","Elapsed":0}
{"Action":"pass","Package":"ex.org/a","Test":"TestBad/fine","Elapsed":0}
{"Action":"fail","Package":"ex.org/a","Test":"TestBad","Elapsed":0}
{"Action":"skip","Package":"ex.org/a","Test":"TestSkip","Elapsed":0}
{"Action":"output","Package":"ex.org/a","Output":"FAIL\\tex.org/a\\t0.003s\\n"}
{"Action":"fail","Package":"ex.org/a","Elapsed":0.004}
{"Action":"skip","Package":"ex.org/c","Elapsed":0}
{"Action":"fail","Package":
FAIL\tex.org/e [build failed]
"""
CTEST = """\
Test project build
1/4 Test #1: good .............................   Passed    0.00 sec
2/4 Test #2: bad ..............................***Failed    0.00 sec
3/4 Test #3: worse ............................***Not Run   0.00 sec
4/4 Test #4: later ............................***Skipped   0.00 sec

50% tests passed, 2 tests failed out of 4

Total Test time (real) =   0.00 sec

The following tests did not run:
\t  4 - later (Skipped)

The following tests FAILED:
\t  2 - bad (Failed)
\t  3 - worse (Not Run)
Errors while running CTest
Output from these tests are in: build/Testing/Temporary/LastTest.log
"""
JEST = """\
FAIL j/c.test.js
  ● Test suite failed to run

    Must use import to load ES Module

FAIL j/a.test.js
  ● Console

    console.log

  ● group › bad one

    expect(received).toBe(expected) // Object.is equality

Test Suites: 2 failed, 2 total
Tests:       1 failed, 1 skipped, 1 todo, 1 passed, 4 total
Snapshots:   0 total
Time:        0.375 s
"""
VITEST = """\
\x1b[31m     \x1b[31m×\x1b[31m bad one\x1b[39m\x1b[32m 5\x1b[2mms\x1b[22m\x1b[39m

\x1b[31m⎯⎯⎯\x1b[39m\x1b[1m\x1b[41m Failed Tests 1 \x1b[49m\x1b[22m\x1b[31m⎯⎯⎯\x1b[39m

\x1b[41m\x1b[1m FAIL \x1b[22m\x1b[49m v/b.test.mjs\x1b[2m > \x1b[22mvg\x1b[2m > \x1b[22mbad one
\x1b[31m\x1b[1mAssertionError\x1b[22m: expected 1 to be 2 // Object.is equality\x1b[39m

\x1b[2m Test Files \x1b[22m \x1b[1m\x1b[31m1 failed\x1b[39m\x1b[22m\x1b[90m (1)\x1b[39m
\x1b[2m      Tests \x1b[22m \x1b[1m\x1b[31m1 failed\x1b[39m\x1b[22m\x1b[2m | \x1b[22m1 passed | 1 skipped\x1b[90m (3)\x1b[39m
"""
NODE_TAP = """\
TAP version 13
# Subtest: ok
ok 1 - ok
# Subtest: bad thing
not ok 2 - bad thing
  ---
  duration_ms: 0.823294
  ...
ok 3 - sk # SKIP
1..3
# tests 3
# suites 0
# pass 1
# fail 1
# cancelled 0
# skipped 1
# todo 0
# duration_ms 90.490623
"""
NODE_SPEC = """\
✔ ok (0.948474ms)
✖ bad thing (0.809148ms)
﹣ sk (0.095778ms) # SKIP
ℹ tests 3
ℹ suites 0
ℹ pass 1
ℹ fail 1
ℹ cancelled 0
ℹ skipped 1
ℹ todo 0

✖ failing tests:

test at n/c.test.mjs:2:23
✖ bad thing (0.809148ms)
"""
