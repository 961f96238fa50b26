// SPDX-License-Identifier: Apache-2.0

// Answers Rego programs with OPA: one JSON object per line in, one per line out.
//
//	in:  {"modules": ["package a\n..."], "query": "x = data.a.p", "input": ..., "data": {...},
//	      "strict": true, "v0": false}
//	out: {"results": [{"x": ...}, ...]} or {"error": {"stage": "compile", "code": "...", "message": "..."}}
package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/rego"
	"github.com/open-policy-agent/opa/v1/storage/inmem"
	"github.com/open-policy-agent/opa/v1/topdown"
)

type program struct {
	Modules []string        `json:"modules"`
	Query   string          `json:"query"`
	Input   json.RawMessage `json:"input"`
	Data    json.RawMessage `json:"data"`
	Strict  bool            `json:"strict"`
	V0      bool            `json:"v0"`
}

type failure struct {
	Stage   string `json:"stage"`
	Code    string `json:"code"`
	Message string `json:"message"`
}

type answer struct {
	Results []map[string]any `json:"results,omitempty"`
	Error   *failure         `json:"error,omitempty"`
}

// decode keeps numbers as they are written.
func decode(text json.RawMessage) (any, error) {
	var v any
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	err := d.Decode(&v)
	return v, err
}

func failed(stage string, err error) answer {
	f := failure{Stage: stage, Message: err.Error()}
	var list ast.Errors
	var single *ast.Error
	var eval *topdown.Error
	switch {
	case errors.As(err, &eval):
		f.Stage, f.Code = "eval", eval.Code
	case errors.As(err, &list) && len(list) > 0:
		f.Code = list[0].Code
	case errors.As(err, &single):
		f.Code = single.Code
	}
	return answer{Error: &f}
}

func options(p program) ([]func(*rego.Rego), error) {
	version := ast.RegoV1
	if p.V0 {
		version = ast.RegoV0
	}
	list := []func(*rego.Rego){
		rego.Query(p.Query),
		rego.SetRegoVersion(version),
		rego.StrictBuiltinErrors(p.Strict),
		rego.Time(time.Unix(1700000000, 123456789)),
	}
	for i, text := range p.Modules {
		list = append(list, rego.Module(fmt.Sprintf("m%d.rego", i), text))
	}
	if len(p.Input) > 0 {
		v, err := decode(p.Input)
		if err != nil {
			return nil, err
		}
		list = append(list, rego.Input(v))
	}
	if len(p.Data) > 0 {
		v, err := decode(p.Data)
		if err != nil {
			return nil, err
		}
		data, ok := v.(map[string]any)
		if !ok {
			return nil, errors.New("data must be an object")
		}
		list = append(list, rego.Store(inmem.NewFromObject(data)))
	}
	return list, nil
}

func run(ctx context.Context, p program) answer {
	list, err := options(p)
	if err != nil {
		return failed("case", err)
	}
	prepared, err := rego.New(list...).PrepareForEval(ctx)
	if err != nil {
		return failed("compile", err)
	}
	set, err := prepared.Eval(ctx, rego.EvalTime(time.Unix(1700000000, 123456789)))
	if err != nil {
		return failed("eval", err)
	}
	out := answer{Results: []map[string]any{}}
	for _, r := range set {
		out.Results = append(out.Results, r.Bindings)
	}
	return out
}

func main() {
	in := bufio.NewScanner(os.Stdin)
	in.Buffer(nil, 64<<20)
	out := json.NewEncoder(os.Stdout)
	for in.Scan() {
		var p program
		if err := json.Unmarshal(in.Bytes(), &p); err != nil {
			fmt.Fprintln(os.Stderr, "oracle:", err)
			os.Exit(1)
		}
		if p.Data == nil {
			p.Data = json.RawMessage("{}")
		}
		if err := out.Encode(run(context.Background(), p)); err != nil {
			fmt.Fprintln(os.Stderr, "oracle:", err)
			os.Exit(1)
		}
	}
}
