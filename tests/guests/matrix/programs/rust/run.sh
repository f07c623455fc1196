rustc -O -o program main.rs
./program
