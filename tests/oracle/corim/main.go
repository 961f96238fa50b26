// SPDX-License-Identifier: Apache-2.0

// Reads a CoRIM that vouchsafe made with the libraries that Veraison uses: COSE signature, CBOR, and
// each CoMID with the checks of its own library. Prints the CoMIDs as hex, one a line.
//
// usage: peer KEY.jwk CORIM.cose
package main

import (
	"crypto"
	"encoding/hex"
	"fmt"
	"os"

	"github.com/fxamacker/cbor/v2"
	"github.com/lestrrat-go/jwx/v2/jwk"
	"github.com/veraison/corim/comid"
	cose "github.com/veraison/go-cose"
)

func check(err error, what string) {
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", what, err)
		os.Exit(1)
	}
}

func publicKey(path string) crypto.PublicKey {
	text, err := os.ReadFile(path)
	check(err, "key")
	key, err := jwk.ParseKey(text)
	check(err, "key")
	public, err := key.PublicKey()
	check(err, "key")
	var raw any
	check(public.Raw(&raw), "key")
	return raw
}

func main() {
	data, err := os.ReadFile(os.Args[2])
	check(err, "CoRIM")
	message := cose.NewSign1Message()
	check(message.UnmarshalCBOR(data), "COSE_Sign1")
	alg, err := message.Headers.Protected.Algorithm()
	check(err, "algorithm")
	verifier, err := cose.NewVerifier(alg, publicKey(os.Args[1]))
	check(err, "verifier")
	check(message.Verify(nil, verifier), "signature")

	var manifest cbor.Tag
	check(cbor.Unmarshal(message.Payload, &manifest), "manifest")
	if manifest.Number != 501 {
		check(fmt.Errorf("tag %d", manifest.Number), "manifest")
	}
	tags := manifest.Content.(map[any]any)[uint64(1)].([]any)
	for _, tag := range tags {
		item := tag.(cbor.Tag)
		if item.Number != 506 {
			check(fmt.Errorf("tag %d", item.Number), "CoMID")
		}
		bytes := item.Content.([]byte)
		var c comid.Comid
		check(c.FromCBOR(bytes), "CoMID")
		check(c.Valid(), "CoMID")
		fmt.Println(hex.EncodeToString(bytes))
	}
}
