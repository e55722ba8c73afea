# ghc: compiles, links and runs a program; runghc interprets it
# grade=hard group=runtimes time=900 memory=3500 engines="qemu auto"
ghc-pkg recache 2>/dev/null
cat >T.hs <<'H'
{-# LANGUAGE BangPatterns #-}
module Main where
import qualified Data.Map.Strict as M
import Control.Concurrent
import Control.Exception
import Data.List (foldl', sort)
primes :: [Int]
primes = sieve [2 ..] where sieve (p : xs) = p : sieve [x | x <- xs, x `mod` p /= 0]
main :: IO ()
main = do
  print (primes !! 500); print (foldl' (+) 0 [1 .. 1000000 :: Int]); let { m = foldl' (\a k -> M.insertWith (+) (k `mod` 97) 1 a) M.empty [1 .. 50000 :: Int] }; print (M.size m, M.lookup 5 m)
  v <- newEmptyMVar; mapM_ (\i -> forkIO (putMVar v (i * i))) [1 .. 50 :: Int]; xs <- mapM (const (takeMVar v)) [1 .. 50 :: Int]; print (sum xs); r <- try (evaluate (1 `div` (0 :: Int))) :: IO (Either ArithException Int); print r; print (2 ^ (200 :: Int) :: Integer, sqrt 2 :: Double, reverse (sort "haskell"))
H
ghc -O1 -v0 -threaded -rtsopts T.hs -o t && ./t && ./t +RTS -N2 -A1m -RTS | md5sum; runghc T.hs | md5sum
