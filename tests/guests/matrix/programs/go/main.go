// Goroutines, channels, mutexes, preemption by signal, a nil pointer, garbage, sockets on the loopback.
package main

import (
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

func worker(in <-chan int, out chan<- int) {
	for n := range in {
		sum := 0
		for i := 0; i < n; i++ {
			sum += i * i % 7
		}
		out <- sum
	}
}

func broken() (said string) {
	defer func() { said = fmt.Sprint(recover()) }()
	var p *struct{ x [1]int }
	return fmt.Sprint(p.x[0])
}

func main() {
	in, out := make(chan int), make(chan int)
	for i := 0; i < 8; i++ {
		go worker(in, out)
	}
	go func() {
		for i := 0; i < 400; i++ {
			in <- i * 10
		}
		close(in)
	}()
	total := 0
	for i := 0; i < 400; i++ {
		total += <-out
	}
	fmt.Println("channels", total)

	var lock sync.Mutex
	var group sync.WaitGroup
	var counter int64
	plain := 0
	for t := 0; t < 16; t++ {
		group.Add(1)
		go func() {
			defer group.Done()
			for i := 0; i < 5000; i++ {
				atomic.AddInt64(&counter, 1)
				lock.Lock()
				plain++
				lock.Unlock()
			}
		}()
	}
	group.Wait()
	fmt.Println("counted", counter, plain)

	var stop atomic.Bool
	go func() {
		for !stop.Load() { // nothing here yields: only a signal takes the processor from it
		}
	}()
	time.Sleep(20 * time.Millisecond)
	runtime.GC()
	stop.Store(true)
	fmt.Println("preempted")

	fmt.Println(broken())
	kept := make([][]byte, 64)
	for i := 0; i < 20000; i++ {
		kept[i%64] = make([]byte, 8192)
	}
	runtime.GC()
	fmt.Println("garbage", len(kept))

	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	go func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer client.Close()
				io.Copy(client, client)
			}()
		}
	}()
	var good int64
	for i := 0; i < 50; i++ {
		group.Add(1)
		go func(i int) {
			defer group.Done()
			path := fmt.Sprintf("/%d", i)
			server, err := net.Dial("tcp", listener.Addr().String())
			if err != nil {
				fmt.Println(err)
				return
			}
			defer server.Close()
			fmt.Fprint(server, path)
			server.(*net.TCPConn).CloseWrite()
			if text, _ := io.ReadAll(server); string(text) == path {
				atomic.AddInt64(&good, 1)
			}
		}(i)
	}
	group.Wait()
	fmt.Println("sockets", good)

	select {
	case <-time.After(10 * time.Millisecond):
		fmt.Println("timer")
	case <-make(chan int):
	}
	text, err := exec.Command("uname", "-s").Output()
	fmt.Print("child ", string(text))
	if err != nil {
		fmt.Println(err)
	}
}
