// SPDX-License-Identifier: Apache-2.0

// A peer made of Go's ttrpc library. Messages are wrapped bytes and strings of protobuf's well-known
// types, which on the wire are a field 1 like those of the guest's services.
//
//	peer call SOCKET SERVICE METHOD [TEXT]   prints field 1 of the answer; status on stderr
//	peer many SOCKET SERVICE METHOD N        N calls at once, each must answer alike
//	peer serve SOCKET                        a service "attestation_agent.AttestationAgentService"
package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"strconv"
	"sync"
	"time"

	"github.com/containerd/ttrpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

func call(client *ttrpc.Client, service, method, text string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	answer := &wrapperspb.BytesValue{}
	err := client.Call(ctx, service, method, wrapperspb.String(text), answer)
	return string(answer.Value), err
}

func dial(path string) *ttrpc.Client {
	conn, err := net.Dial("unix", path)
	if err != nil {
		fail(err)
	}
	return ttrpc.NewClient(conn)
}

func serve(path string) error {
	server, err := ttrpc.NewServer()
	if err != nil {
		return err
	}
	handle := func(answer func(text string) (interface{}, error)) ttrpc.Method {
		return func(_ context.Context, decode func(interface{}) error) (interface{}, error) {
			in := &wrapperspb.StringValue{}
			if err := decode(in); err != nil {
				return nil, err
			}
			return answer(in.Value)
		}
	}
	server.Register("attestation_agent.AttestationAgentService", map[string]ttrpc.Method{
		"GetTeeType": handle(func(string) (interface{}, error) {
			return wrapperspb.String("sample"), nil
		}),
		"GetToken": handle(func(text string) (interface{}, error) {
			return nil, status.Error(codes.PermissionDenied, "no token of type "+text)
		}),
		"GetEvidence": handle(func(text string) (interface{}, error) {
			time.Sleep(50 * time.Millisecond)
			return wrapperspb.Bytes([]byte("evidence for " + text)), nil
		}),
	})
	listener, err := net.Listen("unix", path)
	if err != nil {
		return err
	}
	fmt.Println("ready", path)
	return server.Serve(context.Background(), listener)
}

func many(path, service, method, count string) error {
	client := dial(path)
	n, err := strconv.Atoi(count)
	if err != nil {
		return err
	}
	first, err := call(client, service, method, "x")
	if err != nil {
		return err
	}
	var group sync.WaitGroup
	errs := make(chan error, n)
	for i := 0; i < n; i++ {
		group.Add(1)
		go func() {
			defer group.Done()
			got, err := call(client, service, method, "x")
			if err == nil && got != first {
				err = fmt.Errorf("%q, not %q", got, first)
			}
			errs <- err
		}()
	}
	group.Wait()
	close(errs)
	for err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func main() {
	args := append(os.Args[1:], "", "", "", "", "")
	switch args[0] {
	case "call":
		got, err := call(dial(args[1]), args[2], args[3], args[4])
		if err != nil {
			fail(err)
		}
		fmt.Print(got)
	case "many":
		if err := many(args[1], args[2], args[3], args[4]); err != nil {
			fail(err)
		}
	case "serve":
		fail(serve(args[1]))
	default:
		fail(fmt.Errorf("usage: peer call|many|serve ..."))
	}
}
