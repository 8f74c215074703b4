package main

// A stream of a Sluice gateway (Exchange.Read) into a file that can be proved at any later time:
// docs/formats/stream.md. Used by first_call.go.

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	api "sluice.dev/sluice/v1"
)

// Receipt is a receipt as `sluice receipts check` reads it: it proves the access at any later time.
// Bytes become base64.
type Receipt struct {
	Origin     string   `json:"origin"`
	Envelope   []byte   `json:"envelope"`
	Index      int64    `json:"index"`
	FirstIndex int64    `json:"first_index"`
	Count      int64    `json:"count"`
	Path       [][]byte `json:"path"`
	Signature  []byte   `json:"signature"`
}

// Keep makes that of what came.
func Keep(receipt *api.Receipt) Receipt {
	return Receipt{receipt.Origin, receipt.Envelope, receipt.Index, receipt.FirstIndex, receipt.Count,
		append([][]byte{}, receipt.Path...), receipt.Signature}
}

type peak struct {
	size int
	node []byte
}

// Root is the RFC 6962 root over the digests of batches, in a few hashes of memory.
type Root struct{ peaks []peak }

func hash(prefix byte, parts ...[]byte) []byte {
	sum := sha256.Sum256(append([]byte{prefix}, bytes.Join(parts, nil)...))
	return sum[:]
}

// Add takes the digest of the next batch.
func (root *Root) Add(digest []byte) {
	last := peak{1, hash(0, digest)}
	for n := len(root.peaks); n > 0 && root.peaks[n-1].size == last.size; n-- {
		last = peak{2 * last.size, hash(1, root.peaks[n-1].node, last.node)}
		root.peaks = root.peaks[:n-1]
	}
	root.peaks = append(root.peaks, last)
}

// Digest is the root over what was added so far.
func (root *Root) Digest() []byte {
	if len(root.peaks) == 0 {
		sum := sha256.Sum256(nil)
		return sum[:]
	}
	n := len(root.peaks) - 1
	node := root.peaks[n].node
	for n--; n >= 0; n-- {
		node = hash(1, root.peaks[n].node, node)
	}
	return node
}

// Save writes a stream as path.part, which becomes path once all of it came; returns its end.
func Save(receive func() (*api.ReadResponse, error), path string) (*api.StreamClosing, error) {
	part, err := os.Create(path + ".part")
	if err != nil {
		return nil, err
	}
	defer part.Close()
	var root Root
	var expected [][]byte
	var opening *api.StreamOpening
	var closing *api.StreamClosing
	for {
		message, err := receive()
		if err == io.EOF {
			break
		}
		if err != nil { // the stream was cut
			return nil, err
		}
		expected = append(expected, message.Step.GetBatchDigests()...)
		if message.Opening != nil {
			opening = message.Opening
		} else if message.Closing != nil {
			closing = message.Closing
		} else {
			digest := sha256.Sum256(message.Payload)
			if len(expected) == 0 || !bytes.Equal(expected[0], digest[:]) {
				return nil, fmt.Errorf("batch %d is not the one that was recorded", message.Batch)
			}
			expected = expected[1:]
			root.Add(digest[:])
			if _, err := part.Write(message.Payload); err != nil {
				return nil, err
			}
		}
	}
	if closing == nil || !bytes.Equal(root.Digest(), closing.Digest) {
		return nil, errors.New("the file is not what the gateway recorded")
	}
	receipt, err := json.Marshal(map[string]interface{}{
		"format": "sluice-stream-receipt/v1", "media_type": opening.MediaType,
		"opened": Keep(opening.Receipt), "latest": Keep(closing.Receipt),
		"batch_lengths": append([]int64{}, closing.BatchLengths...), "missing_digests": []string{}})
	if err != nil {
		return nil, err
	}
	if err := os.WriteFile(path+".receipt.json", receipt, 0o600); err != nil {
		return nil, err
	}
	return closing, os.Rename(path+".part", path)
}
