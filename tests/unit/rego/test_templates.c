/* SPDX-License-Identifier: Apache-2.0 */
/* Known answers of strings.render_template; they are those of OPA 1.22. */
#include "expressions.h"

static void template_text(void **state)
{
    (void)state;
    CHECK_ANSWERS(
        {"strings.render_template(`plain`, {\"a\": 1, \"f\": false, \"s\": \"str\", \"n\": null, "
         "\"l\": [1, \"x\", [2]], \"o\": {\"k\": \"v\"}, \"h\": \"<&>\"})",
         "\"plain\""},
        {"strings.render_template(``, {\"a\": 1, \"f\": false, \"s\": \"str\", \"n\": null, \"l\": "
         "[1, \"x\", [2]], \"o\": {\"k\": \"v\"}, \"h\": \"<&>\"})",
         "\"\""},
        {"strings.render_template(`{{.a}}-{{.s}}`, {\"a\": 1, \"f\": false, \"s\": \"str\", \"n\": "
         "null, \"l\": [1, \"x\", [2]], \"o\": {\"k\": \"v\"}, \"h\": \"<&>\"})",
         "\"1-str\""},
        {"strings.render_template(`{{.missing}}{{.missing.deeper}}{{.n}}`, {\"a\": 1, \"f\": "
         "false, \"s\": \"str\", \"n\": null, \"l\": [1, \"x\", [2]], \"o\": {\"k\": \"v\"}, "
         "\"h\": \"<&>\"})",
         "\"<undefined><undefined><undefined>\""},
        {"strings.render_template(`<no value>`, {\"a\": 1, \"f\": false, \"s\": \"str\", \"n\": "
         "null, \"l\": [1, \"x\", [2]], \"o\": {\"k\": \"v\"}, \"h\": \"<&>\"})",
         "\"<undefined>\""},
        {"strings.render_template(`{{.}}`, {\"a\": 1, \"f\": false, \"s\": \"str\", \"n\": null, "
         "\"l\": [1, \"x\", [2]], \"o\": {\"k\": \"v\"}, \"h\": \"<&>\"})",
         "\"map[a:1 f:false h:<&> l:[1 x [2]] n:<nil> o:map[k:v] s:str]\""},
        {"strings.render_template(`a {{- .a -}} b`, {\"a\": 1, \"f\": false, \"s\": \"str\", "
         "\"n\": null, \"l\": [1, \"x\", [2]], \"o\": {\"k\": \"v\"}, \"h\": \"<&>\"})",
         "\"a1b\""},
        {"strings.render_template(`a{{/* gone */}}b`, {\"a\": 1, \"f\": false, \"s\": \"str\", "
         "\"n\": null, \"l\": [1, \"x\", [2]], \"o\": {\"k\": \"v\"}, \"h\": \"<&>\"})",
         "\"ab\""},
        {"strings.render_template(`{{- /* gone */ -}} b`, {\"a\": 1, \"f\": false, \"s\": \"str\", "
         "\"n\": null, \"l\": [1, \"x\", [2]], \"o\": {\"k\": \"v\"}, \"h\": \"<&>\"})",
         "\"b\""},
        {"strings.render_template(`{{'a'}} {{0x1F}} {{1_000}} {{1e3}} {{-0.5}} {{0x1p4}} {{017}}`, "
         "{\"a\": 1, \"f\": false, \"s\": \"str\", \"n\": null, \"l\": [1, \"x\", [2]], \"o\": "
         "{\"k\": \"v\"}, \"h\": \"<&>\"})",
         "\"97 31 1000 1000 -0.5 16 15\""},
        {"strings.render_template(\"{{\\\"a\\\\tb\\\\x41\\\\u00e9\\\\101\\\"}}{{`raw`}}\", {\"a\": "
         "1, \"f\": false, \"s\": \"str\", \"n\": null, \"l\": [1, \"x\", [2]], \"o\": {\"k\": "
         "\"v\"}, \"h\": \"<&>\"})",
         "\"a\\tbA\xc3\xa9"
         "Araw\""},
        {"strings.render_template(`{{true}} {{print nil}}`, {\"a\": 1, \"f\": false, \"s\": "
         "\"str\", \"n\": null, \"l\": [1, \"x\", [2]], \"o\": {\"k\": \"v\"}, \"h\": \"<&>\"})",
         "\"true <nil>\""});
}

static void template_variables(void **state)
{
    (void)state;
    CHECK_ANSWERS(
        {"strings.render_template(`{{$x := 1}}{{if true}}{{$x = 2}}{{end}}{{$x}}`, {\"a\": 1, "
         "\"f\": false, \"s\": \"str\", \"n\": null, \"l\": [1, \"x\", [2]], \"o\": {\"k\": "
         "\"v\"}, \"h\": \"<&>\"})",
         "\"2\""},
        {"strings.render_template(`{{$x := 1}}{{if true}}{{$x := 2}}{{$x}}{{end}}{{$x}}`, {\"a\": "
         "1, \"f\": false, \"s\": \"str\", \"n\": null, \"l\": [1, \"x\", [2]], \"o\": {\"k\": "
         "\"v\"}, \"h\": \"<&>\"})",
         "\"21\""},
        {"strings.render_template(`{{with $y := .o}}{{$y.k}}{{end}}`, {\"a\": 1, \"f\": false, "
         "\"s\": \"str\", \"n\": null, \"l\": [1, \"x\", [2]], \"o\": {\"k\": \"v\"}, \"h\": "
         "\"<&>\"})",
         "\"v\""},
        {"strings.render_template(`{{range .l}}{{$.a}}{{end}}`, {\"a\": 1, \"f\": false, \"s\": "
         "\"str\", \"n\": null, \"l\": [1, \"x\", [2]], \"o\": {\"k\": \"v\"}, \"h\": \"<&>\"})",
         "\"111\""},
        {"strings.render_template(`{{$x := 1}}{{range $x = .l}}{{end}}{{$x}}`, {\"a\": 1, \"f\": "
         "false, \"s\": \"str\", \"n\": null, \"l\": [1, \"x\", [2]], \"o\": {\"k\": \"v\"}, "
         "\"h\": \"<&>\"})",
         "\"[2]\""},
        {"strings.render_template(`{{define \"t\"}}{{$}}{{end}}{{template \"t\" .a}}`, {\"a\": 1, "
         "\"f\": false, \"s\": \"str\", \"n\": null, \"l\": [1, \"x\", [2]], \"o\": {\"k\": "
         "\"v\"}, \"h\": \"<&>\"})",
         "\"1\""},
        {"strings.render_template(`{{$x}}`, {\"a\": 1, \"f\": false, \"s\": \"str\", \"n\": null, "
         "\"l\": [1, \"x\", [2]], \"o\": {\"k\": \"v\"}, \"h\": \"<&>\"})",
         "!eval_builtin_error: eval_builtin_error: strings.render_template: template: template:1: "
         "undefined variable \"$x\""},
        {"strings.render_template(`{{$x = 1}}`, {\"a\": 1, \"f\": false, \"s\": \"str\", \"n\": "
         "null, \"l\": [1, \"x\", [2]], \"o\": {\"k\": \"v\"}, \"h\": \"<&>\"})",
         "!eval_builtin_error: eval_builtin_error: strings.render_template: template: "
         "template:1:7: executing \"template\" at <1>: undefined variable: $x"},
        {"strings.render_template(`{{if $x := 1}}{{end}}{{$x}}`, {\"a\": 1, \"f\": false, \"s\": "
         "\"str\", \"n\": null, \"l\": [1, \"x\", [2]], \"o\": {\"k\": \"v\"}, \"h\": \"<&>\"})",
         "!eval_builtin_error: eval_builtin_error: strings.render_template: template: template:1: "
         "undefined variable \"$x\""},
        {"strings.render_template(`{{range $i, $e := .l}}{{$i}}={{$e}} {{end}}`, {\"a\": 1, \"f\": "
         "false, \"s\": \"str\", \"n\": null, \"l\": [1, \"x\", [2]], \"o\": {\"k\": \"v\"}, "
         "\"h\": \"<&>\"})",
         "\"0=1 1=x 2=[2] \""},
        {"strings.render_template(`{{range $i, .l}}{{end}}`, {\"a\": 1, \"f\": false, \"s\": "
         "\"str\", \"n\": null, \"l\": [1, \"x\", [2]], \"o\": {\"k\": \"v\"}, \"h\": \"<&>\"})",
         "!eval_builtin_error: eval_builtin_error: strings.render_template: template: template:1: "
         "range can only initialize variables"},
        {"strings.render_template(`{{$a, $b := 1}}`, {\"a\": 1, \"f\": false, \"s\": \"str\", "
         "\"n\": null, \"l\": [1, \"x\", [2]], \"o\": {\"k\": \"v\"}, \"h\": \"<&>\"})",
         "!eval_builtin_error: eval_builtin_error: strings.render_template: template: template:1: "
         "too many declarations in command"},
        {"strings.render_template(`{{define \"t\"}}{{$x}}{{end}}{{$x := 1}}`, {\"a\": 1, \"f\": "
         "false, \"s\": \"str\", \"n\": null, \"l\": [1, \"x\", [2]], \"o\": {\"k\": \"v\"}, "
         "\"h\": \"<&>\"})",
         "!eval_builtin_error: eval_builtin_error: strings.render_template: template: template:1: "
         "undefined variable \"$x\""});
}

static void template_blocks(void **state)
{
    (void)state;
    CHECK_ANSWERS(
        {"strings.render_template(`{{if .f}}1{{else if .n}}2{{else}}3{{end}}`, {\"a\": 1, \"f\": "
         "false, \"s\": \"str\", \"n\": null, \"l\": [1, \"x\", [2]], \"o\": {\"k\": \"v\"}, "
         "\"h\": \"<&>\"})",
         "\"3\""},
        {"strings.render_template(`{{with .f}}1{{else with .s}}{{.}}{{end}}`, {\"a\": 1, \"f\": "
         "false, \"s\": \"str\", \"n\": null, \"l\": [1, \"x\", [2]], \"o\": {\"k\": \"v\"}, "
         "\"h\": \"<&>\"})",
         "\"str\""},
        {"strings.render_template(`{{if .a}}{{with .o}}{{.k}}{{end}}{{end}}`, {\"a\": 1, \"f\": "
         "false, \"s\": \"str\", \"n\": null, \"l\": [1, \"x\", [2]], \"o\": {\"k\": \"v\"}, "
         "\"h\": \"<&>\"})",
         "\"v\""},
        {"strings.render_template(`{{range .l}}{{.}},{{else}}none{{end}}`, {\"a\": 1, \"f\": "
         "false, \"s\": \"str\", \"n\": null, \"l\": [1, \"x\", [2]], \"o\": {\"k\": \"v\"}, "
         "\"h\": \"<&>\"})",
         "\"1,x,[2],\""},
        {"strings.render_template(`{{range .missing}}{{.}}{{else}}none{{end}}`, {\"a\": 1, \"f\": "
         "false, \"s\": \"str\", \"n\": null, \"l\": [1, \"x\", [2]], \"o\": {\"k\": \"v\"}, "
         "\"h\": \"<&>\"})",
         "\"none\""},
        {"strings.render_template(`{{range $k, $v := .o}}{{$k}}{{$v}}{{end}}`, {\"a\": 1, \"f\": "
         "false, \"s\": \"str\", \"n\": null, \"l\": [1, \"x\", [2]], \"o\": {\"k\": \"v\"}, "
         "\"h\": \"<&>\"})",
         "\"kv\""},
        {"strings.render_template(`{{range 3}}{{.}}{{end}}`, {\"a\": 1, \"f\": false, \"s\": "
         "\"str\", \"n\": null, \"l\": [1, \"x\", [2]], \"o\": {\"k\": \"v\"}, \"h\": \"<&>\"})",
         "\"012\""},
        {"strings.render_template(`{{range -1}}{{else}}E{{end}}`, {\"a\": 1, \"f\": false, \"s\": "
         "\"str\", \"n\": null, \"l\": [1, \"x\", [2]], \"o\": {\"k\": \"v\"}, \"h\": \"<&>\"})",
         "\"E\""},
        {"strings.render_template(`{{range .l}}{{if eq . \"x\"}}{{continue}}{{end}}{{.}}{{end}}`, "
         "{\"a\": 1, \"f\": false, \"s\": \"str\", \"n\": null, \"l\": [1, \"x\", [2]], \"o\": "
         "{\"k\": \"v\"}, \"h\": \"<&>\"})",
         "!eval_builtin_error: eval_builtin_error: strings.render_template: template: "
         "template:1:17: executing \"template\" at <eq . \"x\">: error calling eq: incompatible "
         "types for comparison: []interface {} and string"},
        {"strings.render_template(`{{range $i, $e := .l}}{{if eq $i "
         "1}}{{break}}{{end}}{{$e}}{{end}}`, {\"a\": 1, \"f\": false, \"s\": \"str\", \"n\": null, "
         "\"l\": [1, \"x\", [2]], \"o\": {\"k\": \"v\"}, \"h\": \"<&>\"})",
         "\"1\""},
        {"strings.render_template(`{{define \"t\"}}[{{.}}]{{end}}{{template \"t\" .a}}{{template "
         "\"t\"}}`, {\"a\": 1, \"f\": false, \"s\": \"str\", \"n\": null, \"l\": [1, \"x\", [2]], "
         "\"o\": {\"k\": \"v\"}, \"h\": \"<&>\"})",
         "\"[1][<undefined>]\""},
        {"strings.render_template(`{{block \"b\" .o}}<{{.k}}>{{end}}`, {\"a\": 1, \"f\": false, "
         "\"s\": \"str\", \"n\": null, \"l\": [1, \"x\", [2]], \"o\": {\"k\": \"v\"}, \"h\": "
         "\"<&>\"})",
         "\"<v>\""},
        {"strings.render_template(`{{define \"a\"}}{{template \"b\" .}}{{end}}{{define "
         "\"b\"}}{{.s}}{{end}}{{template \"a\" .}}`, {\"a\": 1, \"f\": false, \"s\": \"str\", "
         "\"n\": null, \"l\": [1, \"x\", [2]], \"o\": {\"k\": \"v\"}, \"h\": \"<&>\"})",
         "\"str\""},
        {"strings.render_template(`{{range .s}}{{end}}`, {\"a\": 1, \"f\": false, \"s\": \"str\", "
         "\"n\": null, \"l\": [1, \"x\", [2]], \"o\": {\"k\": \"v\"}, \"h\": \"<&>\"})",
         "!eval_builtin_error: "},
        {"strings.render_template(`{{range .a}}{{end}}`, {\"a\": 1, \"f\": false, \"s\": \"str\", "
         "\"n\": null, \"l\": [1, \"x\", [2]], \"o\": {\"k\": \"v\"}, \"h\": \"<&>\"})",
         "!eval_builtin_error: "},
        {"strings.render_template(`{{range $i, $v := 3}}{{end}}`, {\"a\": 1, \"f\": false, \"s\": "
         "\"str\", \"n\": null, \"l\": [1, \"x\", [2]], \"o\": {\"k\": \"v\"}, \"h\": \"<&>\"})",
         "!eval_builtin_error: eval_builtin_error: strings.render_template: template: "
         "template:1:18: executing \"template\" at <3>: can't use 3 to iterate over more than one "
         "variable"},
        {"strings.render_template(`{{template \"none\"}}`, {\"a\": 1, \"f\": false, \"s\": "
         "\"str\", \"n\": null, \"l\": [1, \"x\", [2]], \"o\": {\"k\": \"v\"}, \"h\": \"<&>\"})",
         "!eval_builtin_error: >: template \"none\" not defined"});
}

static void template_functions(void **state)
{
    (void)state;
    CHECK_ANSWERS(
        {"strings.render_template(`{{and 1 0 2}} {{or 0 \"\" 3}} {{not .s}}`, {\"a\": 1, \"f\": "
         "false, \"s\": \"str\", \"n\": null, \"l\": [1, \"x\", [2]], \"o\": {\"k\": \"v\"}, "
         "\"h\": \"<&>\"})",
         "\"0 3 false\""},
        {"strings.render_template(`{{or 1 (index .l 9)}}{{and 0 (index .l 9)}}`, {\"a\": 1, \"f\": "
         "false, \"s\": \"str\", \"n\": null, \"l\": [1, \"x\", [2]], \"o\": {\"k\": \"v\"}, "
         "\"h\": \"<&>\"})",
         "\"10\""},
        {"strings.render_template(`{{eq 1 2 3 1}} {{ne 1 2}} {{lt 1 2}} {{le 2 2}} {{gt \"b\" "
         "\"a\"}} {{ge 1.5 2.5}}`, {\"a\": 1, \"f\": false, \"s\": \"str\", \"n\": null, \"l\": "
         "[1, \"x\", [2]], \"o\": {\"k\": \"v\"}, \"h\": \"<&>\"})",
         "\"true true true true true false\""},
        {"strings.render_template(`{{eq .a \"1\"}}`, {\"a\": 1, \"f\": false, \"s\": \"str\", "
         "\"n\": null, \"l\": [1, \"x\", [2]], \"o\": {\"k\": \"v\"}, \"h\": \"<&>\"})",
         "\"true\""},
        {"strings.render_template(`{{eq .a 1}}`, {\"a\": 1, \"f\": false, \"s\": \"str\", \"n\": "
         "null, \"l\": [1, \"x\", [2]], \"o\": {\"k\": \"v\"}, \"h\": \"<&>\"})",
         "!eval_builtin_error: eval_builtin_error: strings.render_template: template: "
         "template:1:2: executing \"template\" at <eq .a 1>: error calling eq: incompatible types "
         "for comparison: json.Number and int"},
        {"strings.render_template(`{{eq .n nil}} {{eq .l nil}}`, {\"a\": 1, \"f\": false, \"s\": "
         "\"str\", \"n\": null, \"l\": [1, \"x\", [2]], \"o\": {\"k\": \"v\"}, \"h\": \"<&>\"})",
         "\"true false\""},
        {"strings.render_template(`{{eq .l .l}}`, {\"a\": 1, \"f\": false, \"s\": \"str\", \"n\": "
         "null, \"l\": [1, \"x\", [2]], \"o\": {\"k\": \"v\"}, \"h\": \"<&>\"})",
         "!eval_builtin_error: []interface {}"},
        {"strings.render_template(`{{eq 1}}`, {\"a\": 1, \"f\": false, \"s\": \"str\", \"n\": "
         "null, \"l\": [1, \"x\", [2]], \"o\": {\"k\": \"v\"}, \"h\": \"<&>\"})",
         "!eval_builtin_error: eval_builtin_error: strings.render_template: template: "
         "template:1:2: executing \"template\" at <eq 1>: error calling eq: missing argument for "
         "comparison"},
        {"strings.render_template(`{{lt true false}}`, {\"a\": 1, \"f\": false, \"s\": \"str\", "
         "\"n\": null, \"l\": [1, \"x\", [2]], \"o\": {\"k\": \"v\"}, \"h\": \"<&>\"})",
         "!eval_builtin_error: eval_builtin_error: strings.render_template: template: "
         "template:1:2: executing \"template\" at <lt true false>: error calling lt: invalid type "
         "for comparison"},
        {"strings.render_template(`{{lt 1 1.5}}`, {\"a\": 1, \"f\": false, \"s\": \"str\", \"n\": "
         "null, \"l\": [1, \"x\", [2]], \"o\": {\"k\": \"v\"}, \"h\": \"<&>\"})",
         "!eval_builtin_error: eval_builtin_error: strings.render_template: template: "
         "template:1:2: executing \"template\" at <lt 1 1.5>: error calling lt: incompatible types "
         "for comparison: int and float64"},
        {"strings.render_template(`{{len .s}} {{len .l}} {{len .o}}`, {\"a\": 1, \"f\": false, "
         "\"s\": \"str\", \"n\": null, \"l\": [1, \"x\", [2]], \"o\": {\"k\": \"v\"}, \"h\": "
         "\"<&>\"})",
         "\"3 3 1\""},
        {"strings.render_template(`{{len 3}}`, {\"a\": 1, \"f\": false, \"s\": \"str\", \"n\": "
         "null, \"l\": [1, \"x\", [2]], \"o\": {\"k\": \"v\"}, \"h\": \"<&>\"})",
         "!eval_builtin_error: eval_builtin_error: strings.render_template: template: "
         "template:1:2: executing \"template\" at <len 3>: error calling len: len of type int"},
        {"strings.render_template(`{{len .n}}`, {\"a\": 1, \"f\": false, \"s\": \"str\", \"n\": "
         "null, \"l\": [1, \"x\", [2]], \"o\": {\"k\": \"v\"}, \"h\": \"<&>\"})",
         "!eval_builtin_error: eval_builtin_error: strings.render_template: template: "
         "template:1:2: executing \"template\" at <len .n>: error calling len: len of nil pointer"},
        {"strings.render_template(`{{index .s 1}} {{index .l 2 0}} {{index .o \"k\"}} {{index .o "
         "\"q\"}}`, {\"a\": 1, \"f\": false, \"s\": \"str\", \"n\": null, \"l\": [1, \"x\", [2]], "
         "\"o\": {\"k\": \"v\"}, \"h\": \"<&>\"})",
         "\"116 2 v <undefined>\""},
        {"strings.render_template(`{{index .l 3}}`, {\"a\": 1, \"f\": false, \"s\": \"str\", "
         "\"n\": null, \"l\": [1, \"x\", [2]], \"o\": {\"k\": \"v\"}, \"h\": \"<&>\"})",
         "!eval_builtin_error: "},
        {"strings.render_template(`{{index .l -1}}`, {\"a\": 1, \"f\": false, \"s\": \"str\", "
         "\"n\": null, \"l\": [1, \"x\", [2]], \"o\": {\"k\": \"v\"}, \"h\": \"<&>\"})",
         "!eval_builtin_error: eval_builtin_error: strings.render_template: template: "
         "template:1:2: executing \"template\" at <index .l -1>: error calling index: index out of "
         "range: -1"},
        {"strings.render_template(`{{index .l \"a\"}}`, {\"a\": 1, \"f\": false, \"s\": \"str\", "
         "\"n\": null, \"l\": [1, \"x\", [2]], \"o\": {\"k\": \"v\"}, \"h\": \"<&>\"})",
         "!eval_builtin_error: eval_builtin_error: strings.render_template: template: "
         "template:1:2: executing \"template\" at <index .l \"a\">: error calling index: cannot "
         "index slice/array with type string"},
        {"strings.render_template(`{{index .o 1}}`, {\"a\": 1, \"f\": false, \"s\": \"str\", "
         "\"n\": null, \"l\": [1, \"x\", [2]], \"o\": {\"k\": \"v\"}, \"h\": \"<&>\"})",
         "!eval_builtin_error: eval_builtin_error: strings.render_template: template: "
         "template:1:2: executing \"template\" at <index .o 1>: error calling index: value has "
         "type int; should be string"},
        {"strings.render_template(`{{index .n 1}}`, {\"a\": 1, \"f\": false, \"s\": \"str\", "
         "\"n\": null, \"l\": [1, \"x\", [2]], \"o\": {\"k\": \"v\"}, \"h\": \"<&>\"})",
         "!eval_builtin_error: eval_builtin_error: strings.render_template: template: "
         "template:1:2: executing \"template\" at <index .n 1>: error calling index: index of "
         "untyped nil"},
        {"strings.render_template(`{{slice .s 1 2}} {{slice .l 1}} {{slice .l 0 1 2}}`, {\"a\": 1, "
         "\"f\": false, \"s\": \"str\", \"n\": null, \"l\": [1, \"x\", [2]], \"o\": {\"k\": "
         "\"v\"}, \"h\": \"<&>\"})",
         "\"t [x [2]] [1]\""},
        {"strings.render_template(`{{slice .s 2 1}}`, {\"a\": 1, \"f\": false, \"s\": \"str\", "
         "\"n\": null, \"l\": [1, \"x\", [2]], \"o\": {\"k\": \"v\"}, \"h\": \"<&>\"})",
         "!eval_builtin_error: eval_builtin_error: strings.render_template: template: "
         "template:1:2: executing \"template\" at <slice .s 2 1>: error calling slice: invalid "
         "slice index: 2 > 1"},
        {"strings.render_template(`{{slice .s 1 2 3}}`, {\"a\": 1, \"f\": false, \"s\": \"str\", "
         "\"n\": null, \"l\": [1, \"x\", [2]], \"o\": {\"k\": \"v\"}, \"h\": \"<&>\"})",
         "!eval_builtin_error: eval_builtin_error: strings.render_template: template: "
         "template:1:2: executing \"template\" at <slice .s 1 2 3>: error calling slice: cannot "
         "3-index slice a string"},
        {"strings.render_template(`{{slice .o 1}}`, {\"a\": 1, \"f\": false, \"s\": \"str\", "
         "\"n\": null, \"l\": [1, \"x\", [2]], \"o\": {\"k\": \"v\"}, \"h\": \"<&>\"})",
         "!eval_builtin_error: eval_builtin_error: strings.render_template: template: "
         "template:1:2: executing \"template\" at <slice .o 1>: error calling slice: can't slice "
         "item of type map[string]interface {}"},
        {"strings.render_template(`{{print 1 2 \"a\" \"b\" 3 nil nil}}|{{println .a 1}}|`, {\"a\": "
         "1, \"f\": false, \"s\": \"str\", \"n\": null, \"l\": [1, \"x\", [2]], \"o\": {\"k\": "
         "\"v\"}, \"h\": \"<&>\"})",
         "\"1 2ab3 <nil> <nil>|1 1\\n|\""},
        {"strings.render_template(`{{printf \"%d %s %q %v %T\" 3 .s .s .l .a}}`, {\"a\": 1, \"f\": "
         "false, \"s\": \"str\", \"n\": null, \"l\": [1, \"x\", [2]], \"o\": {\"k\": \"v\"}, "
         "\"h\": \"<&>\"})",
         "\"3 str \\\"str\\\" [1 x [2]] json.Number\""},
        {"strings.render_template(`{{printf \"%d\" .a}}`, {\"a\": 1, \"f\": false, \"s\": \"str\", "
         "\"n\": null, \"l\": [1, \"x\", [2]], \"o\": {\"k\": \"v\"}, \"h\": \"<&>\"})",
         "\"%!d(json.Number=1)\""},
        {"strings.render_template(`{{printf .a}}`, {\"a\": 1, \"f\": false, \"s\": \"str\", \"n\": "
         "null, \"l\": [1, \"x\", [2]], \"o\": {\"k\": \"v\"}, \"h\": \"<&>\"})",
         "!eval_builtin_error: eval_builtin_error: strings.render_template: template: "
         "template:1:9: executing \"template\" at <.a>: wrong type for value; expected string; got "
         "json.Number"},
        {"strings.render_template(`{{printf}}`, {\"a\": 1, \"f\": false, \"s\": \"str\", \"n\": "
         "null, \"l\": [1, \"x\", [2]], \"o\": {\"k\": \"v\"}, \"h\": \"<&>\"})",
         "!eval_builtin_error: eval_builtin_error: strings.render_template: template: "
         "template:1:2: executing \"template\" at <printf>: wrong number of args for printf: want "
         "at least 1 got 0"},
        {"strings.render_template(`{{html .h 1 2}}{{js .h}}{{urlquery \"a b&\" .h}}{{html .n}}`, "
         "{\"a\": 1, \"f\": false, \"s\": \"str\", \"n\": null, \"l\": [1, \"x\", [2]], \"o\": "
         "{\"k\": \"v\"}, \"h\": \"<&>\"})",
         "\"&lt;&amp;&gt;1 2\\\\u003C\\\\u0026\\\\u003Ea+b%26%3C%26%3E&lt;no value&gt;\""},
        {"strings.render_template(`{{call .s}}`, {\"a\": 1, \"f\": false, \"s\": \"str\", \"n\": "
         "null, \"l\": [1, \"x\", [2]], \"o\": {\"k\": \"v\"}, \"h\": \"<&>\"})",
         "!eval_builtin_error: of type string"},
        {"strings.render_template(`{{.s | printf \"%s-%d\" \"x\" | len}}`, {\"a\": 1, \"f\": "
         "false, \"s\": \"str\", \"n\": null, \"l\": [1, \"x\", [2]], \"o\": {\"k\": \"v\"}, "
         "\"h\": \"<&>\"})",
         "\"17\""},
        {"strings.render_template(`{{(index .l 0)}} {{(.o).k}} {{((1))}}`, {\"a\": 1, \"f\": "
         "false, \"s\": \"str\", \"n\": null, \"l\": [1, \"x\", [2]], \"o\": {\"k\": \"v\"}, "
         "\"h\": \"<&>\"})",
         "\"1 v 1\""},
        {"strings.render_template(`{{.a 1}}`, {\"a\": 1, \"f\": false, \"s\": \"str\", \"n\": "
         "null, \"l\": [1, \"x\", [2]], \"o\": {\"k\": \"v\"}, \"h\": \"<&>\"})",
         "!eval_builtin_error: eval_builtin_error: strings.render_template: template: "
         "template:1:2: executing \"template\" at <.a>: a is not a method but has arguments"},
        {"strings.render_template(`{{1 | .s}}`, {\"a\": 1, \"f\": false, \"s\": \"str\", \"n\": "
         "null, \"l\": [1, \"x\", [2]], \"o\": {\"k\": \"v\"}, \"h\": \"<&>\"})",
         "!eval_builtin_error: eval_builtin_error: strings.render_template: template: "
         "template:1:6: executing \"template\" at <.s>: s is not a method but has arguments"},
        {"strings.render_template(`{{.s.x}}`, {\"a\": 1, \"f\": false, \"s\": \"str\", \"n\": "
         "null, \"l\": [1, \"x\", [2]], \"o\": {\"k\": \"v\"}, \"h\": \"<&>\"})",
         "!eval_builtin_error: executing \"template\" at <.s.x>: can't evaluate field x in type "
         "interface {}"},
        {"strings.render_template(`{{.n.x}}`, {\"a\": 1, \"f\": false, \"s\": \"str\", \"n\": "
         "null, \"l\": [1, \"x\", [2]], \"o\": {\"k\": \"v\"}, \"h\": \"<&>\"})",
         "!eval_builtin_error: executing \"template\" at <.n.x>: nil pointer evaluating interface "
         "{}.x"},
        {"strings.render_template(`{{(print \"x\").y}}`, {\"a\": 1, \"f\": false, \"s\": \"str\", "
         "\"n\": null, \"l\": [1, \"x\", [2]], \"o\": {\"k\": \"v\"}, \"h\": \"<&>\"})",
         "!eval_builtin_error: >: can't evaluate field y in type string"},
        {"strings.render_template(`{{nil}}`, {\"a\": 1, \"f\": false, \"s\": \"str\", \"n\": null, "
         "\"l\": [1, \"x\", [2]], \"o\": {\"k\": \"v\"}, \"h\": \"<&>\"})",
         "!eval_builtin_error: eval_builtin_error: strings.render_template: template: "
         "template:1:2: executing \"template\" at <nil>: nil is not a command"},
        {"strings.render_template(`{{(.x).y}}{{(.n).y}}`, {\"a\": 1, \"f\": false, \"s\": \"str\", "
         "\"n\": null, \"l\": [1, \"x\", [2]], \"o\": {\"k\": \"v\"}, \"h\": \"<&>\"})",
         "\"<undefined><undefined>\""},
        {"strings.render_template(`{{((.o).k)}} {{(nil).x}}`, {\"a\": 1, \"f\": false, \"s\": "
         "\"str\", \"n\": null, \"l\": [1, \"x\", [2]], \"o\": {\"k\": \"v\"}, \"h\": \"<&>\"})",
         "!eval_builtin_error: eval_builtin_error: strings.render_template: template: "
         "template:1:16: executing \"template\" at <nil>: nil is not a command"},
        {"strings.render_template(`{{not 0.0}} {{not nil}} {{and nil}} {{or nil 1}}`, {\"a\": 1, "
         "\"f\": false, \"s\": \"str\", \"n\": null, \"l\": [1, \"x\", [2]], \"o\": {\"k\": "
         "\"v\"}, \"h\": \"<&>\"})",
         "\"true true <undefined> 1\""},
        {"strings.render_template(`{{1000000.0}} {{0.00001}} {{-0.0}} {{1_000.5}}`, {\"a\": 1, "
         "\"f\": false, \"s\": \"str\", \"n\": null, \"l\": [1, \"x\", [2]], \"o\": {\"k\": "
         "\"v\"}, \"h\": \"<&>\"})",
         "\"1e+06 1e-05 -0 1000.5\""},
        {"strings.render_template(`{{index .l}} {{slice .s 0 2 | printf \"%q\"}}`, {\"a\": 1, "
         "\"f\": false, \"s\": \"str\", \"n\": null, \"l\": [1, \"x\", [2]], \"o\": {\"k\": "
         "\"v\"}, \"h\": \"<&>\"})",
         "\"[1 x [2]] \\\"st\\\"\""});
}

static void template_syntax(void **state)
{
    (void)state;
    CHECK_ANSWERS(
        {"strings.render_template(`{{.a`, {\"a\": 1, \"f\": false, \"s\": \"str\", \"n\": null, "
         "\"l\": [1, \"x\", [2]], \"o\": {\"k\": \"v\"}, \"h\": \"<&>\"})",
         "!eval_builtin_error: eval_builtin_error: strings.render_template: template: template:1: "
         "unclosed action"},
        {"strings.render_template(`{{.a}`, {\"a\": 1, \"f\": false, \"s\": \"str\", \"n\": null, "
         "\"l\": [1, \"x\", [2]], \"o\": {\"k\": \"v\"}, \"h\": \"<&>\"})",
         "!eval_builtin_error: eval_builtin_error: strings.render_template: template: template:1: "
         "bad character U+007D '}'"},
        {"strings.render_template(`{{\"abc}}`, {\"a\": 1, \"f\": false, \"s\": \"str\", \"n\": "
         "null, \"l\": [1, \"x\", [2]], \"o\": {\"k\": \"v\"}, \"h\": \"<&>\"})",
         "!eval_builtin_error: eval_builtin_error: strings.render_template: template: template:1: "
         "unterminated quoted string"},
        {"strings.render_template(\"{{`abc}}\", {\"a\": 1, \"f\": false, \"s\": \"str\", \"n\": "
         "null, \"l\": [1, \"x\", [2]], \"o\": {\"k\": \"v\"}, \"h\": \"<&>\"})",
         "!eval_builtin_error: eval_builtin_error: strings.render_template: template: template:1: "
         "unterminated raw quoted string"},
        {"strings.render_template(`{{'ab'}}`, {\"a\": 1, \"f\": false, \"s\": \"str\", \"n\": "
         "null, \"l\": [1, \"x\", [2]], \"o\": {\"k\": \"v\"}, \"h\": \"<&>\"})",
         "!eval_builtin_error: eval_builtin_error: strings.render_template: template: template:1: "
         "malformed character constant: 'ab'"},
        {"strings.render_template(`{{''}}`, {\"a\": 1, \"f\": false, \"s\": \"str\", \"n\": null, "
         "\"l\": [1, \"x\", [2]], \"o\": {\"k\": \"v\"}, \"h\": \"<&>\"})",
         "!eval_builtin_error: eval_builtin_error: strings.render_template: template: template:1: "
         "invalid syntax"},
        {"strings.render_template(`{{/* a`, {\"a\": 1, \"f\": false, \"s\": \"str\", \"n\": null, "
         "\"l\": [1, \"x\", [2]], \"o\": {\"k\": \"v\"}, \"h\": \"<&>\"})",
         "!eval_builtin_error: eval_builtin_error: strings.render_template: template: template:1: "
         "unclosed comment"},
        {"strings.render_template(`{{/* a */ x}}`, {\"a\": 1, \"f\": false, \"s\": \"str\", \"n\": "
         "null, \"l\": [1, \"x\", [2]], \"o\": {\"k\": \"v\"}, \"h\": \"<&>\"})",
         "!eval_builtin_error: eval_builtin_error: strings.render_template: template: template:1: "
         "comment ends before closing delimiter"},
        {"strings.render_template(`{{foo}}`, {\"a\": 1, \"f\": false, \"s\": \"str\", \"n\": null, "
         "\"l\": [1, \"x\", [2]], \"o\": {\"k\": \"v\"}, \"h\": \"<&>\"})",
         "!eval_builtin_error: eval_builtin_error: strings.render_template: template: template:1: "
         "function \"foo\" not defined"},
        {"strings.render_template(`{{if .f}}{{foo}}{{end}}`, {\"a\": 1, \"f\": false, \"s\": "
         "\"str\", \"n\": null, \"l\": [1, \"x\", [2]], \"o\": {\"k\": \"v\"}, \"h\": \"<&>\"})",
         "!eval_builtin_error: eval_builtin_error: strings.render_template: template: template:1: "
         "function \"foo\" not defined"},
        {"strings.render_template(`{{if}}{{end}}`, {\"a\": 1, \"f\": false, \"s\": \"str\", \"n\": "
         "null, \"l\": [1, \"x\", [2]], \"o\": {\"k\": \"v\"}, \"h\": \"<&>\"})",
         "!eval_builtin_error: eval_builtin_error: strings.render_template: template: template:1: "
         "missing value for if"},
        {"strings.render_template(`{{if 1}}`, {\"a\": 1, \"f\": false, \"s\": \"str\", \"n\": "
         "null, \"l\": [1, \"x\", [2]], \"o\": {\"k\": \"v\"}, \"h\": \"<&>\"})",
         "!eval_builtin_error: eval_builtin_error: strings.render_template: template: template:1: "
         "unexpected EOF"},
        {"strings.render_template(`{{end}}`, {\"a\": 1, \"f\": false, \"s\": \"str\", \"n\": null, "
         "\"l\": [1, \"x\", [2]], \"o\": {\"k\": \"v\"}, \"h\": \"<&>\"})",
         "!eval_builtin_error: eval_builtin_error: strings.render_template: template: template:1: "
         "unexpected {{end}}"},
        {"strings.render_template(`{{else}}`, {\"a\": 1, \"f\": false, \"s\": \"str\", \"n\": "
         "null, \"l\": [1, \"x\", [2]], \"o\": {\"k\": \"v\"}, \"h\": \"<&>\"})",
         "!eval_builtin_error: eval_builtin_error: strings.render_template: template: template:1: "
         "unexpected {{else}}"},
        {"strings.render_template(`{{if 1}}{{else}}{{else}}{{end}}`, {\"a\": 1, \"f\": false, "
         "\"s\": \"str\", \"n\": null, \"l\": [1, \"x\", [2]], \"o\": {\"k\": \"v\"}, \"h\": "
         "\"<&>\"})",
         "!eval_builtin_error: eval_builtin_error: strings.render_template: template: template:1: "
         "expected end; found {{else}}"},
        {"strings.render_template(`{{if 1}}{{else with 1}}{{end}}`, {\"a\": 1, \"f\": false, "
         "\"s\": \"str\", \"n\": null, \"l\": [1, \"x\", [2]], \"o\": {\"k\": \"v\"}, \"h\": "
         "\"<&>\"})",
         "!eval_builtin_error: eval_builtin_error: strings.render_template: template: template:1: "
         "unexpected <with> in input"},
        {"strings.render_template(`{{range 1}}{{else if 1}}{{end}}`, {\"a\": 1, \"f\": false, "
         "\"s\": \"str\", \"n\": null, \"l\": [1, \"x\", [2]], \"o\": {\"k\": \"v\"}, \"h\": "
         "\"<&>\"})",
         "!eval_builtin_error: eval_builtin_error: strings.render_template: template: template:1: "
         "unexpected <if> in input"},
        {"strings.render_template(`{{break}}`, {\"a\": 1, \"f\": false, \"s\": \"str\", \"n\": "
         "null, \"l\": [1, \"x\", [2]], \"o\": {\"k\": \"v\"}, \"h\": \"<&>\"})",
         "!eval_builtin_error: eval_builtin_error: strings.render_template: template: template:1: "
         "{{break}} outside {{range}}"},
        {"strings.render_template(`{{range 1}}{{continue 1}}{{end}}`, {\"a\": 1, \"f\": false, "
         "\"s\": \"str\", \"n\": null, \"l\": [1, \"x\", [2]], \"o\": {\"k\": \"v\"}, \"h\": "
         "\"<&>\"})",
         "!eval_builtin_error: eval_builtin_error: strings.render_template: template: template:1: "
         "unexpected \"1\" in {{continue}}"},
        {"strings.render_template(`{{define \"a\"}}{{break}}{{end}}{{range 1}}{{end}}`, {\"a\": 1, "
         "\"f\": false, \"s\": \"str\", \"n\": null, \"l\": [1, \"x\", [2]], \"o\": {\"k\": "
         "\"v\"}, \"h\": \"<&>\"})",
         "!eval_builtin_error: eval_builtin_error: strings.render_template: template: template:1: "
         "{{break}} outside {{range}}"},
        {"strings.render_template(`{{1 | 2}}`, {\"a\": 1, \"f\": false, \"s\": \"str\", \"n\": "
         "null, \"l\": [1, \"x\", [2]], \"o\": {\"k\": \"v\"}, \"h\": \"<&>\"})",
         "!eval_builtin_error: eval_builtin_error: strings.render_template: template: template:1: "
         "non executable command in pipeline stage 2"},
        {"strings.render_template(`{{1 |}}`, {\"a\": 1, \"f\": false, \"s\": \"str\", \"n\": null, "
         "\"l\": [1, \"x\", [2]], \"o\": {\"k\": \"v\"}, \"h\": \"<&>\"})",
         "\"1\""},
        {"strings.render_template(`{{|}}`, {\"a\": 1, \"f\": false, \"s\": \"str\", \"n\": null, "
         "\"l\": [1, \"x\", [2]], \"o\": {\"k\": \"v\"}, \"h\": \"<&>\"})",
         "!eval_builtin_error: eval_builtin_error: strings.render_template: template: template:1: "
         "unexpected \"|\" in command"},
        {"strings.render_template(`{{\"x\".y}}`, {\"a\": 1, \"f\": false, \"s\": \"str\", \"n\": "
         "null, \"l\": [1, \"x\", [2]], \"o\": {\"k\": \"v\"}, \"h\": \"<&>\"})",
         "!eval_builtin_error: "},
        {"strings.render_template(`{{.a.}}`, {\"a\": 1, \"f\": false, \"s\": \"str\", \"n\": null, "
         "\"l\": [1, \"x\", [2]], \"o\": {\"k\": \"v\"}, \"h\": \"<&>\"})",
         "!eval_builtin_error: eval_builtin_error: strings.render_template: template: template:1: "
         "unexpected <.> in operand"},
        {"strings.render_template(`{{.l.0}}`, {\"a\": 1, \"f\": false, \"s\": \"str\", \"n\": "
         "null, \"l\": [1, \"x\", [2]], \"o\": {\"k\": \"v\"}, \"h\": \"<&>\"})",
         "!eval_builtin_error: eval_builtin_error: strings.render_template: template: template:1: "
         "unexpected \".0\" in operand"},
        {"strings.render_template(`{{(1}}`, {\"a\": 1, \"f\": false, \"s\": \"str\", \"n\": null, "
         "\"l\": [1, \"x\", [2]], \"o\": {\"k\": \"v\"}, \"h\": \"<&>\"})",
         "!eval_builtin_error: eval_builtin_error: strings.render_template: template: template:1: "
         "unclosed left paren"},
        {"strings.render_template(`{{1)}}`, {\"a\": 1, \"f\": false, \"s\": \"str\", \"n\": null, "
         "\"l\": [1, \"x\", [2]], \"o\": {\"k\": \"v\"}, \"h\": \"<&>\"})",
         "!eval_builtin_error: eval_builtin_error: strings.render_template: template: template:1: "
         "unexpected right paren"},
        {"strings.render_template(`{{()}}`, {\"a\": 1, \"f\": false, \"s\": \"str\", \"n\": null, "
         "\"l\": [1, \"x\", [2]], \"o\": {\"k\": \"v\"}, \"h\": \"<&>\"})",
         "!eval_builtin_error: eval_builtin_error: strings.render_template: template: template:1: "
         "missing value for parenthesized pipeline"},
        {"strings.render_template(`{{#}}`, {\"a\": 1, \"f\": false, \"s\": \"str\", \"n\": null, "
         "\"l\": [1, \"x\", [2]], \"o\": {\"k\": \"v\"}, \"h\": \"<&>\"})",
         "!eval_builtin_error: eval_builtin_error: strings.render_template: template: template:1: "
         "unexpected \"#\" in command"},
        {"strings.render_template(`{{1a}}`, {\"a\": 1, \"f\": false, \"s\": \"str\", \"n\": null, "
         "\"l\": [1, \"x\", [2]], \"o\": {\"k\": \"v\"}, \"h\": \"<&>\"})",
         "!eval_builtin_error: eval_builtin_error: strings.render_template: template: template:1: "
         "bad number syntax: \"1a\""},
        {"strings.render_template(`{{0b2}}`, {\"a\": 1, \"f\": false, \"s\": \"str\", \"n\": null, "
         "\"l\": [1, \"x\", [2]], \"o\": {\"k\": \"v\"}, \"h\": \"<&>\"})",
         "!eval_builtin_error: eval_builtin_error: strings.render_template: template: template:1: "
         "bad number syntax: \"0b2\""},
        {"strings.render_template(`{{1__0}}`, {\"a\": 1, \"f\": false, \"s\": \"str\", \"n\": "
         "null, \"l\": [1, \"x\", [2]], \"o\": {\"k\": \"v\"}, \"h\": \"<&>\"})",
         "!eval_builtin_error: eval_builtin_error: strings.render_template: template: template:1: "
         "illegal number syntax: \"1__0\""},
        {"strings.render_template(`{{99999999999999999999}}`, {\"a\": 1, \"f\": false, \"s\": "
         "\"str\", \"n\": null, \"l\": [1, \"x\", [2]], \"o\": {\"k\": \"v\"}, \"h\": \"<&>\"})",
         "!eval_builtin_error: eval_builtin_error: strings.render_template: template: template:1: "
         "integer overflow: \"99999999999999999999\""},
        {"strings.render_template(`{{0xffffffffffffffff}}`, {\"a\": 1, \"f\": false, \"s\": "
         "\"str\", \"n\": null, \"l\": [1, \"x\", [2]], \"o\": {\"k\": \"v\"}, \"h\": \"<&>\"})",
         "!eval_builtin_error: eval_builtin_error: strings.render_template: template: "
         "template:1:2: executing \"template\" at <0xffffffffffffffff>: 0xffffffffffffffff "
         "overflows int"},
        {"strings.render_template(`{{1e400}}`, {\"a\": 1, \"f\": false, \"s\": \"str\", \"n\": "
         "null, \"l\": [1, \"x\", [2]], \"o\": {\"k\": \"v\"}, \"h\": \"<&>\"})",
         "!eval_builtin_error: eval_builtin_error: strings.render_template: template: template:1: "
         "illegal number syntax: \"1e400\""},
        {"strings.render_template(`{{$x=1}}`, {\"a\": 1, \"f\": false, \"s\": \"str\", \"n\": "
         "null, \"l\": [1, \"x\", [2]], \"o\": {\"k\": \"v\"}, \"h\": \"<&>\"})",
         "!eval_builtin_error: eval_builtin_error: strings.render_template: template: template:1: "
         "bad character U+003D '='"},
        {"strings.render_template(`{{a:b}}`, {\"a\": 1, \"f\": false, \"s\": \"str\", \"n\": null, "
         "\"l\": [1, \"x\", [2]], \"o\": {\"k\": \"v\"}, \"h\": \"<&>\"})",
         "!eval_builtin_error: eval_builtin_error: strings.render_template: template: template:1: "
         "function \"a\" not defined"},
        {"strings.render_template(`{{template}}`, {\"a\": 1, \"f\": false, \"s\": \"str\", \"n\": "
         "null, \"l\": [1, \"x\", [2]], \"o\": {\"k\": \"v\"}, \"h\": \"<&>\"})",
         "!eval_builtin_error: eval_builtin_error: strings.render_template: template: template:1: "
         "unexpected \"}}\" in template clause"},
        {"strings.render_template(`{{template .s}}`, {\"a\": 1, \"f\": false, \"s\": \"str\", "
         "\"n\": null, \"l\": [1, \"x\", [2]], \"o\": {\"k\": \"v\"}, \"h\": \"<&>\"})",
         "!eval_builtin_error: eval_builtin_error: strings.render_template: template: template:1: "
         "unexpected \".s\" in template clause"},
        {"strings.render_template(`{{block \"b\"}}{{end}}`, {\"a\": 1, \"f\": false, \"s\": "
         "\"str\", \"n\": null, \"l\": [1, \"x\", [2]], \"o\": {\"k\": \"v\"}, \"h\": \"<&>\"})",
         "!eval_builtin_error: eval_builtin_error: strings.render_template: template: template:1: "
         "missing value for block clause"},
        {"strings.render_template(`{{define \"a\"}}x{{end}}{{define \"a\"}}y{{end}}`, {\"a\": 1, "
         "\"f\": false, \"s\": \"str\", \"n\": null, \"l\": [1, \"x\", [2]], \"o\": {\"k\": "
         "\"v\"}, \"h\": \"<&>\"})",
         "!eval_builtin_error: eval_builtin_error: strings.render_template: template: template:1: "
         "template: multiple definition of template \"a\""},
        {"strings.render_template(`{{define \"a\"}}x{{end}}{{define \"a\"}} {{end}}{{template "
         "\"a\"}}`, {\"a\": 1, \"f\": false, \"s\": \"str\", \"n\": null, \"l\": [1, \"x\", [2]], "
         "\"o\": {\"k\": \"v\"}, \"h\": \"<&>\"})",
         "\"x\""},
        {"strings.render_template(`{{if 1}}{{define \"a\"}}{{end}}{{end}}`, {\"a\": 1, \"f\": "
         "false, \"s\": \"str\", \"n\": null, \"l\": [1, \"x\", [2]], \"o\": {\"k\": \"v\"}, "
         "\"h\": \"<&>\"})",
         "!eval_builtin_error: eval_builtin_error: strings.render_template: template: template:1: "
         "unexpected <define> in command"},
        {"strings.render_template(`{{range $a, $b, $c := .l}}{{end}}`, {\"a\": 1, \"f\": false, "
         "\"s\": \"str\", \"n\": null, \"l\": [1, \"x\", [2]], \"o\": {\"k\": \"v\"}, \"h\": "
         "\"<&>\"})",
         "!eval_builtin_error: eval_builtin_error: strings.render_template: template: template:1: "
         "too many declarations in range"},
        {"strings.render_template(`{{\"\\q\"}}`, {\"a\": 1, \"f\": false, \"s\": \"str\", \"n\": "
         "null, \"l\": [1, \"x\", [2]], \"o\": {\"k\": \"v\"}, \"h\": \"<&>\"})",
         "!eval_builtin_error: eval_builtin_error: strings.render_template: template: template:1: "
         "invalid syntax"},
        {"strings.render_template(`\n\n{{x}}`, {\"a\": 1, \"f\": false, \"s\": \"str\", \"n\": "
         "null, \"l\": [1, \"x\", [2]], \"o\": {\"k\": \"v\"}, \"h\": \"<&>\"})",
         "!eval_builtin_error: eval_builtin_error: strings.render_template: template: template:3: "
         "function \"x\" not defined"},
        {"strings.render_template(`{{- -1 -}}`, {\"a\": 1, \"f\": false, \"s\": \"str\", \"n\": "
         "null, \"l\": [1, \"x\", [2]], \"o\": {\"k\": \"v\"}, \"h\": \"<&>\"})",
         "\"-1\""},
        {"strings.render_template(`{{-.a}}`, {\"a\": 1, \"f\": false, \"s\": \"str\", \"n\": null, "
         "\"l\": [1, \"x\", [2]], \"o\": {\"k\": \"v\"}, \"h\": \"<&>\"})",
         "!eval_builtin_error: eval_builtin_error: strings.render_template: template: template:1: "
         "bad number syntax: \"-.a\""});
}

static void limits_of_templates(void **state)
{
    (void)state;
    CHECK_ANSWERS(
        {"strings.render_template(`{{define \"r\"}}{{template \"r\"}}{{end}}{{template \"r\"}}`, "
         "{})",
         "!eval_limit_error: limit"},
        {"strings.render_template(`{{range 9000000000000000000}}{{end}}`, {})",
         "!eval_limit_error: limit"},
        {"strings.render_template(`{{range 1000000}}{{printf \"%1000d\" 1}}{{end}}`, {})",
         "!eval_limit_error: limit"},
        {"strings.render_template(`{{printf \"%1000000d%1000000d%1000000d%1000000d%1000000d\" 1 1 "
         "1 1 "
         "1}}`, {})",
         "!eval_limit_error: limit"},
        {"strings.render_template(concat(\"\", [\"{{\", concat(\"\", [\"(\" | "
         "numbers.range(1, 200)[_]]), \"}}\"]), {})",
         "!eval_limit_error: limit"},
        {"strings.render_template(concat(\"\", [\"{{if 1}}\" | numbers.range(1, 200)[_]]), {})",
         "!eval_limit_error: limit"},
        {"strings.render_template(\"{{.x}}\", {\"x\": {1}})",
         "!eval_builtin_error: variables must be JSON"},
        {"strings.render_template(\"{{.x}}\", {1: 2})",
         "!eval_builtin_error: variables must be JSON"},
        {"strings.render_template(1, {})", "!eval_type_error: operand 1 must be string"},
        {"strings.render_template(\"\", [])", "!eval_type_error: operand 2 must be object"});
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(template_text),   cmocka_unit_test(template_variables),
        cmocka_unit_test(template_blocks), cmocka_unit_test(template_functions),
        cmocka_unit_test(template_syntax), cmocka_unit_test(limits_of_templates),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
