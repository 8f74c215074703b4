// A first client of a Sluice gateway in Go: pages of rows, then all of them as a file.
//
//	first_call GATEWAY FOLDER        such as gw1.gov.example:8443 relief
//
// FOLDER holds key.pem and certificate.pem (sluice certs request) and the gateway's authority.pem.
// Needs google.golang.org/grpc and genproto, and stubs of proto/sluice/v1 by protoc with --go_out
// and --go-grpc_out; not of proto/google/rpc, which genproto has. docs/consumer.md says what each
// part is for.
package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	api "sluice.dev/sluice/v1"
)

// Connect opens a connection over mutual TLS: who we are is what our certificate says. Keep it; it
// reconnects.
func Connect(gateway, folder string) (*grpc.ClientConn, error) {
	pair, err := tls.LoadX509KeyPair(
		filepath.Join(folder, "certificate.pem"), filepath.Join(folder, "key.pem"))
	if err != nil {
		return nil, err
	}
	authority, err := os.ReadFile(filepath.Join(folder, "authority.pem"))
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(authority) {
		return nil, errors.New("authority.pem holds no certificate")
	}
	return grpc.Dial(gateway,
		grpc.WithTransportCredentials(credentials.NewTLS(&tls.Config{
			Certificates: []tls.Certificate{pair}, RootCAs: roots, MinVersion: tls.VersionTLS12})),
		// While a call runs; not below 30 s.
		grpc.WithKeepaliveParams(keepalive.ClientParameters{
			Time: 60 * time.Second, Timeout: 20 * time.Second}),
		// No message is over 1 MiB and a frame.
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(2<<20)),
		// Only what its reason calls safe: Call.
		grpc.WithDisableRetry())
}

// Refusal is what an error says beside its code; the reason is empty where gRPC itself failed.
type Refusal struct {
	Code             codes.Code
	Reason           string
	Safe             bool
	Delay            time.Duration
	Metadata, Fields map[string]string
}

// RefusalOf reads the details of an error.
func RefusalOf(err error) Refusal {
	said := status.Convert(err)
	refusal := Refusal{Code: said.Code(), Fields: map[string]string{}}
	for _, detail := range said.Details() {
		switch detail := detail.(type) {
		case *errdetails.ErrorInfo:
			refusal.Reason, refusal.Metadata = detail.Reason, detail.Metadata
		case *errdetails.RetryInfo:
			refusal.Delay = detail.RetryDelay.AsDuration()
		case *errdetails.BadRequest:
			for _, violation := range detail.FieldViolations {
				refusal.Fields[violation.Field] = violation.Description
			}
		}
	}
	if refusal.Reason == "" { // no answer came, and the request_id makes asking again harmless
		refusal.Safe = refusal.Code == codes.Unavailable
	} else if number, known := api.Reason_value["REASON_"+refusal.Reason]; known {
		value := api.Reason(number).Descriptor().Values().ByNumber(api.Reason(number).Number())
		info := proto.GetExtension(value.Options(), api.E_ReasonInfo).(*api.ReasonInfo)
		refusal.Safe = info.Retry == api.Retry_RETRY_SAFE
	}
	return refusal
}

// Call makes one access, sent again under the same request_id only where that is safe.
func Call(ctx context.Context, method func(context.Context, *api.QueryRequest, ...grpc.CallOption) (
	*api.QueryResponse, error), request *api.QueryRequest, timeout time.Duration, attempts int) (
	*api.QueryResponse, error) {
	id := make([]byte, 16)
	if _, err := rand.Read(id); err != nil {
		return nil, err
	}
	request.RequestId = fmt.Sprintf("%x", id)
	for attempt := 1; ; attempt++ {
		limited, cancel := context.WithTimeout(ctx, timeout)
		reply, err := method(limited, request)
		cancel()
		if err == nil {
			return reply, nil
		}
		said := RefusalOf(err)
		// SOURCE_CHANGED ends the pages begun: they begin anew, without a token.
		if !said.Safe || said.Reason == "SOURCE_CHANGED" || attempt == attempts {
			return nil, err
		}
		pause := time.Duration(100<<attempt) * time.Millisecond
		if said.Delay > pause {
			pause = said.Delay
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// Pages gives each page with its rows; each is an access of its own, decided, recorded and counted.
func Pages(ctx context.Context, exchange api.ExchangeClient, request *api.QueryRequest,
	take func(*api.QueryResponse, *api.RowBatch)) error {
	for {
		page, err := Call(ctx, exchange.Query, request, 10*time.Second, 4)
		if err != nil {
			return err
		}
		var envelope api.AuditEnvelope
		if err := proto.Unmarshal(page.Receipt.Envelope, &envelope); err != nil {
			return err
		}
		if digest := sha256.Sum256(page.Payload); !bytes.Equal(digest[:], envelope.Digest) {
			return errors.New("the payload is not the one that was recorded")
		}
		var batch api.RowBatch
		if err := proto.Unmarshal(page.Payload, &batch); err != nil {
			return err
		}
		take(page, &batch)
		if page.NextPageToken == "" {
			return nil
		}
		request.PageToken = page.NextPageToken
	}
}

func run(gateway, folder string) error {
	connection, err := Connect(gateway, folder)
	if err != nil {
		return err
	}
	defer connection.Close()
	exchange := api.NewExchangeClient(connection)
	county := &api.Value{Kind: &api.Value_StringValue{StringValue: "东城区"}}
	err = Pages(context.Background(), exchange, &api.QueryRequest{
		Dataset: "public-security/persons", Purpose: "relief", CaseReference: "R-0118",
		Filter:     "county = $county",
		Parameters: map[string]*api.ParameterValues{"county": {Values: []*api.Value{county}}},
	}, func(page *api.QueryResponse, batch *api.RowBatch) {
		fmt.Printf("record %d, grant %s\n", page.Receipt.Index, page.Applied.Grant)
		for _, row := range batch.Rows {
			fmt.Println("  ", row.Values[0].GetStringValue(), row.Values[1].GetStringValue(),
				row.Values[2].GetDateValue(), row.Values[3].GetStringValue())
		}
	})
	if err != nil {
		return err
	}
	limited, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
	defer cancel()
	stream, err := exchange.Read(limited, &api.ReadRequest{
		Dataset: "public-security/persons", Purpose: "relief", CaseReference: "R-0118"})
	if err != nil {
		return err
	}
	closing, err := Save(stream.Recv, "persons.jsonl")
	if err != nil {
		return err
	}
	fmt.Printf("persons.jsonl: %d rows, record %d\n", closing.Rows, closing.Receipt.Index)
	return nil
}

func main() {
	if err := run(os.Args[1], os.Args[2]); err != nil {
		said := RefusalOf(err)
		fmt.Fprintln(os.Stderr, said.Code, said.Reason, err, said.Metadata)
		if said.Safe {
			os.Exit(4)
		}
		os.Exit(3)
	}
}
