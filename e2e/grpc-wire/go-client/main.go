// Calls a server with grpc-go: unary calls of several sizes at once, a server stream, a deadline, an unknown method.
// usage: client SOCKET
package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/encoding"
	"google.golang.org/grpc/status"
)

// raw sends and receives messages as they are.
type raw struct{}

func (raw) Marshal(v any) ([]byte, error)      { return *v.(*[]byte), nil }
func (raw) Unmarshal(data []byte, v any) error { *v.(*[]byte) = append([]byte{}, data...); return nil }
func (raw) Name() string                       { return "proto" }

var _ encoding.Codec = raw{}

func main() {
	conn, err := grpc.NewClient("unix:"+os.Args[1], grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithDefaultCallOptions(grpc.ForceCodec(raw{})))
	check(err)
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()

	var wait sync.WaitGroup
	echoed := 0
	var mutex sync.Mutex
	for n := 0; n < 200; n++ {
		wait.Add(1)
		go func(size int) {
			defer wait.Done()
			sent, got := bytes.Repeat([]byte{byte(size)}, size), []byte{}
			check(conn.Invoke(ctx, "/test.Test/Echo", &sent, &got))
			if bytes.Equal(sent, got) {
				mutex.Lock()
				echoed++
				mutex.Unlock()
			}
		}(n * n * 10)
	}
	wait.Wait()
	fmt.Println("echoed", echoed)

	stream, err := conn.NewStream(ctx, &grpc.StreamDesc{ServerStreams: true}, "/test.Test/Count")
	check(err)
	count := []byte{100}
	check(stream.SendMsg(&count))
	check(stream.CloseSend())
	received := 0
	for ; ; received++ {
		message := []byte{}
		if err := stream.RecvMsg(&message); err == io.EOF {
			break
		} else {
			check(err)
		}
	}
	fmt.Println("streamed", received)

	short, stop := context.WithTimeout(ctx, 50*time.Millisecond)
	defer stop()
	empty := []byte{}
	fmt.Println("silent", status.Code(conn.Invoke(short, "/test.Test/Silent", &empty, &empty)))
	fmt.Println("unknown", status.Code(conn.Invoke(ctx, "/test.Test/None", &empty, &empty)))
	refused := status.Convert(conn.Invoke(ctx, "/test.Test/Refuse", &empty, &empty))
	fmt.Println("refused", refused.Code(), refused.Message())
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
