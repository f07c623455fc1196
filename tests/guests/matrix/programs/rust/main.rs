//! Threads, channels, locks, atomics, a panic that is caught, a child process, a socket.
use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{mpsc, Arc, Barrier, Condvar, Mutex, RwLock};
use std::thread;

fn main() {
    let (send, receive) = mpsc::channel();
    for t in 0..4u64 {
        let send = send.clone();
        thread::spawn(move || {
            let mut x = t;
            for _ in 0..1_000_000 {
                x = x.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            }
            send.send((t, x)).unwrap();
        });
    }
    drop(send);
    let mut all: Vec<_> = receive.iter().collect();
    all.sort();
    println!("channel {:x?}", all);

    let shared = Arc::new((Mutex::new(0u32), Condvar::new(), AtomicUsize::new(0), RwLock::new(HashMap::new()), Barrier::new(8)));
    let threads: Vec<_> = (0..8)
        .map(|t| {
            let shared = Arc::clone(&shared);
            thread::spawn(move || {
                shared.4.wait();
                for i in 0..2000 {
                    shared.2.fetch_add(1, Ordering::Relaxed);
                    shared.3.write().unwrap().insert(t * 2000 + i, i);
                }
                let mut turn = shared.0.lock().unwrap();
                while *turn != t {
                    turn = shared.1.wait(turn).unwrap();
                }
                *turn += 1;
                shared.1.notify_all();
            })
        })
        .collect();
    for thread in threads {
        thread.join().unwrap();
    }
    println!("counted {} {} {}", shared.0.lock().unwrap(), shared.2.load(Ordering::SeqCst), shared.3.read().unwrap().len());

    let quiet = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| ()));
    let panicked = thread::spawn(|| if thread::current().name().is_none() { panic!("on purpose") }).join().is_err();
    std::panic::set_hook(quiet);
    println!("panic {panicked}");

    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let server = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        stream.write_all(text.to_uppercase().as_bytes()).unwrap();
    });
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(b"over the loopback").unwrap();
    stream.shutdown(std::net::Shutdown::Write).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    server.join().unwrap();
    println!("{answer}");

    let child = Command::new("uname").arg("-s").output().unwrap();
    print!("child {}", String::from_utf8_lossy(&child.stdout));
}
