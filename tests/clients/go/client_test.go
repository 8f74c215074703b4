// The Go client of clients/go against a gateway: each call of Exchange and of Catalogue.
package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"sort"
	"strconv"
	"strings"
	"testing"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"
	api "sluice.dev/sluice/v1"
)

var (
	gateway = os.Getenv("SLUICE_GATEWAY")
	relief  = connect(os.Getenv("SLUICE_RELIEF"))
	owner   = connect(os.Getenv("SLUICE_OWNER"))
	office  = connect(os.Getenv("SLUICE_OFFICE"))

	exchange  = api.NewExchangeClient(relief)
	catalogue = api.NewCatalogueClient(owner)
)

func connect(folder string) *grpc.ClientConn {
	connection, err := Connect(gateway, folder)
	if err != nil {
		panic(err)
	}
	return connection
}

func persons() *api.QueryRequest {
	return &api.QueryRequest{
		Dataset: "public-security/persons", Purpose: "relief", CaseReference: "R-0118"}
}

func register() *api.ReadRequest {
	return &api.ReadRequest{Dataset: "public-security/register", Purpose: "relief"}
}

func slow() *api.QueryRequest {
	return &api.QueryRequest{Dataset: "public-security/slow", Purpose: "relief"}
}

func soon(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	t.Cleanup(cancel)
	return ctx
}

func out(name string) string { return filepath.Join(os.Getenv("SLUICE_OUT"), name) }

func expect(t *testing.T, expected, actual interface{}) {
	t.Helper()
	if !reflect.DeepEqual(expected, actual) {
		t.Fatalf("expected %v, got %v", expected, actual)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func refused(t *testing.T, code codes.Code, err error) Refusal {
	t.Helper()
	if err == nil {
		t.Fatal("it was answered")
	}
	expect(t, code.String(), RefusalOf(err).Code.String())
	return RefusalOf(err)
}

func envelope(t *testing.T, receipt *api.Receipt) *api.AuditEnvelope {
	var envelope api.AuditEnvelope
	must(t, proto.Unmarshal(receipt.Envelope, &envelope))
	return &envelope
}

func TestQueryPermitted(t *testing.T) {
	request := persons()
	request.Filter = "county = $county"
	request.Parameters = map[string]*api.ParameterValues{"county": {Values: []*api.Value{
		{Kind: &api.Value_StringValue{StringValue: "东城区"}}}}}
	var pages []*api.QueryResponse
	var numbers, columns []string
	must(t, Pages(soon(t), exchange, request, func(page *api.QueryResponse, batch *api.RowBatch) {
		pages = append(pages, page)
		for _, column := range batch.Columns {
			columns = append(columns, column.Name)
		}
		for _, row := range batch.Rows {
			numbers = append(numbers, row.Values[0].GetStringValue())
		}
	}))
	expect(t, 1, len(pages))
	expect(t, []string{"id_number", "name", "birth_date", "county"}, columns)
	sort.Strings(numbers) // they come in no order
	expect(t, []string{"990***********3019", "990***********3047", "990***********3075",
		"990***********3101"}, numbers)
	expect(t, "relief", envelope(t, pages[0].Receipt).Purpose)
	receipt, err := json.Marshal(Keep(pages[0].Receipt))
	must(t, err)
	must(t, os.WriteFile(out("page.rows"), pages[0].Payload, 0o600))
	must(t, os.WriteFile(out("page.rows.receipt.json"), receipt, 0o600))
}

func TestQueryInPages(t *testing.T) {
	var pages []*api.QueryResponse
	next := int64(0)
	must(t, Pages(soon(t), exchange, &api.QueryRequest{Dataset: "public-security/register",
		Purpose: "relief", Filter: "number < 1000", PageSize: 400},
		func(page *api.QueryResponse, batch *api.RowBatch) {
			pages = append(pages, page)
			for _, row := range batch.Rows {
				expect(t, next, row.Values[0].GetInt64Value())
				next++
			}
		}))
	expect(t, 3, len(pages))
	expect(t, int64(1000), next)
	expect(t, int64(200), pages[2].Rows)
	expect(t, pages[0].Receipt.Index, envelope(t, pages[2].Receipt).FirstPage)
}

func TestQueryDenied(t *testing.T) {
	request := persons()
	request.Purpose = "census"
	_, err := exchange.Query(soon(t), request)
	said := refused(t, codes.PermissionDenied, err)
	expect(t, "PURPOSE_NOT_GRANTED", said.Reason)
	expect(t, "public-security/persons", said.Metadata["dataset"])
	index, err := strconv.Atoi(said.Metadata["index"])
	must(t, err)
	expect(t, true, index > 0)
	expect(t, false, said.Safe)
}

func TestQueryWithABadFilter(t *testing.T) {
	request := persons()
	request.Filter = `county == "x"`
	_, err := exchange.Query(soon(t), request)
	said := refused(t, codes.InvalidArgument, err)
	expect(t, "FILTER_INVALID", said.Reason)
	expect(t, 1, len(said.Fields))
	expect(t, true, said.Fields["filter:8"] != "")
}

func TestQueryPastItsDeadline(t *testing.T) {
	_, err := Call(context.Background(), exchange.Query, slow(), 300*time.Millisecond, 1)
	refused(t, codes.DeadlineExceeded, err)
}

func TestWrongCertificates(t *testing.T) {
	other := os.Getenv("SLUICE_OTHER")
	ours := filepath.Join(os.Getenv("SLUICE_RELIEF"), "authority.pem")
	for _, one := range []struct{ what, authority, pair string }{
		{"a gateway of another authority", filepath.Join(other, "tls/authority.pem"),
			os.Getenv("SLUICE_RELIEF")},
		{"a certificate of another authority", ours, filepath.Join(other, "profiles/relief")},
		{"no certificate", ours, ""},
	} {
		t.Run(one.what, func(t *testing.T) {
			pem, err := os.ReadFile(one.authority)
			must(t, err)
			config := &tls.Config{RootCAs: x509.NewCertPool()}
			config.RootCAs.AppendCertsFromPEM(pem)
			if one.pair != "" {
				pair, err := tls.LoadX509KeyPair(filepath.Join(one.pair, "certificate.pem"),
					filepath.Join(one.pair, "key.pem"))
				must(t, err)
				config.Certificates = []tls.Certificate{pair}
			}
			connection, err := grpc.Dial(gateway,
				grpc.WithTransportCredentials(credentials.NewTLS(config)))
			must(t, err)
			defer connection.Close()
			_, err = api.NewExchangeClient(connection).Query(soon(t), persons())
			expect(t, "", refused(t, codes.Unavailable, err).Reason)
		})
	}
}

func TestReadWhole(t *testing.T) {
	stream, err := exchange.Read(soon(t), register())
	must(t, err)
	closing, err := Save(stream.Recv, out("register.jsonl"))
	must(t, err)
	expect(t, os.Getenv("SLUICE_ROWS"), strconv.FormatInt(closing.Rows, 10))
	file, err := os.Stat(out("register.jsonl"))
	must(t, err)
	expect(t, closing.PayloadBytes, file.Size())
	expect(t, closing.Digest, envelope(t, closing.Receipt).Digest)
}

func TestReadOfAlteredBytes(t *testing.T) {
	stream, err := exchange.Read(soon(t), &api.ReadRequest{
		Dataset: "public-security/persons", Purpose: "relief", CaseReference: "R-0118"})
	must(t, err)
	_, err = Save(func() (*api.ReadResponse, error) {
		message, err := stream.Recv()
		if err == nil {
			message.Payload = bytes.ReplaceAll(message.Payload, []byte("1950"), []byte("1951"))
		}
		return message, err
	}, out("altered.jsonl"))
	expect(t, true, err != nil && strings.HasPrefix(err.Error(), "batch 0 is not"))
	_, err = os.Stat(out("altered.jsonl"))
	expect(t, true, os.IsNotExist(err))
}

func TestReadCancelledMidway(t *testing.T) {
	ctx, cancel := context.WithCancel(soon(t))
	stream, err := exchange.Read(ctx, register())
	must(t, err)
	_, err = Save(func() (*api.ReadResponse, error) {
		message, err := stream.Recv()
		if err == nil && message.Batch == 5 {
			cancel()
		}
		return message, err
	}, out("cancelled.jsonl"))
	refused(t, codes.Canceled, err)
	_, err = os.Stat(out("cancelled.jsonl"))
	expect(t, true, os.IsNotExist(err))
	_, err = exchange.Query(soon(t), persons())
	must(t, err)
}

func TestRootsOfThePublishedExample(t *testing.T) {
	page, err := os.ReadFile(os.Getenv("SLUICE_STREAM_PAGE"))
	must(t, err)
	hashes := regexp.MustCompile(`(?m)^[0-9a-f]{64}$`).FindAllString(string(page), -1)
	expect(t, 7, len(hashes))
	var root Root
	expect(t, hashes[3], hex.EncodeToString(root.Digest()))
	for at := 0; at < 3; at++ {
		digest, err := hex.DecodeString(hashes[at])
		must(t, err)
		root.Add(digest)
		expect(t, hashes[4+at], hex.EncodeToString(root.Digest()))
	}
}

func TestOnlyWhatIsSafeIsSentAgainAsTheSameAccess(t *testing.T) {
	for reason, times := range map[string]int{
		"AUDIT_UNAVAILABLE": 2, "PURPOSE_NOT_GRANTED": 1, "QUOTA_EXCEEDED": 1} {
		said, err := status.New(codes.Unavailable, "said").WithDetails(
			&errdetails.ErrorInfo{Reason: reason, Domain: "sluice"},
			&errdetails.RetryInfo{RetryDelay: durationpb.New(250 * time.Millisecond)})
		must(t, err)
		sent := map[string]int{}
		_, err = Call(soon(t), func(_ context.Context, request *api.QueryRequest,
			_ ...grpc.CallOption) (*api.QueryResponse, error) {
			sent[request.RequestId]++
			return nil, said.Err()
		}, persons(), time.Second, 2)
		expect(t, 250*time.Millisecond, refused(t, codes.Unavailable, err).Delay)
		expect(t, 1, len(sent))
		for _, count := range sent {
			expect(t, times, count)
		}
	}
}

func TestCheck(t *testing.T) {
	request := &api.CheckRequest{
		Dataset: "public-security/persons", Purpose: "relief", CaseReference: "R-0118"}
	answer, err := exchange.Check(soon(t), request)
	must(t, err)
	expect(t, true, answer.Applied.Grant != "")
	expect(t, api.RecordKind_RECORD_KIND_CHECKED, envelope(t, answer.Receipt).Kind)
	request.Purpose = "census"
	_, err = exchange.Check(soon(t), request)
	expect(t, "PURPOSE_NOT_GRANTED", refused(t, codes.PermissionDenied, err).Reason)
}

func TestPreview(t *testing.T) {
	asked, err := api.NewSharingClient(office).SubmitAccessRequest(soon(t),
		&api.SubmitAccessRequestRequest{Request: &api.AccessRequest{
			Dataset: "public-security/persons", Purposes: []string{"relief"},
			Fields: []string{"name", "county"}, Modes: []api.Mode{api.Mode_MODE_QUERY},
			Basis:         &api.LegalBasis{Law: "社会救助暂行办法", Article: "第五十八条"},
			Expires:       timestamppb.New(time.Date(2099, 1, 1, 0, 0, 0, 0, time.UTC)),
			Justification: "Applications of the county"}})
	must(t, err)
	answer, err := api.NewExchangeClient(owner).Preview(soon(t),
		&api.PreviewRequest{AccessRequest: asked.Request.Id, Limit: 2})
	must(t, err)
	expect(t, int64(2), answer.Rows)
	expect(t, api.RecordKind_RECORD_KIND_PREVIEWED, envelope(t, answer.Receipt).Kind)
}

func TestListDatasets(t *testing.T) {
	listed, err := api.NewCatalogueClient(relief).ListDatasets(soon(t),
		&api.ListDatasetsRequest{Agency: "public-security", PageSize: 2})
	must(t, err)
	expect(t, 2, len(listed.Datasets))
	expect(t, "public-security/persons", listed.Datasets[0].Name)
	expect(t, "public-security/register", listed.Datasets[1].Name)
	expect(t, true, listed.NextPageToken != "")
}

func TestGetDataset(t *testing.T) {
	request := &api.GetDatasetRequest{Name: "public-security/persons"}
	seen, err := api.NewCatalogueClient(relief).GetDataset(soon(t), request)
	must(t, err)
	expect(t, "CN-RID", seen.Dataset.Fields[0].Subject)
	expect(t, "", seen.Dataset.Source) // the owner's matter
	seen, err = catalogue.GetDataset(soon(t), request)
	must(t, err)
	expect(t, "residents", seen.Dataset.Source)
	request.Name = "public-security/nothing"
	_, err = catalogue.GetDataset(soon(t), request)
	expect(t, "DATASET_UNKNOWN", refused(t, codes.NotFound, err).Reason)
}

func TestApplyDataset(t *testing.T) {
	shown, err := catalogue.GetDataset(soon(t), &api.GetDatasetRequest{Name: "public-security/slow"})
	must(t, err)
	revision := shown.Dataset.Revision
	shown.Dataset.Title = &api.Text{En: "Slow, from Go"}
	applied, err := catalogue.ApplyDataset(soon(t), &api.ApplyDatasetRequest{Dataset: shown.Dataset})
	must(t, err)
	expect(t, revision+1, applied.Dataset.Revision)
	expect(t, true, strings.Contains(strings.Join(applied.Differences, "\n"), "title"))
	_, err = catalogue.ApplyDataset(soon(t), &api.ApplyDatasetRequest{Dataset: shown.Dataset})
	expect(t, "ETAG_MISMATCH", refused(t, codes.Aborted, err).Reason)
}

func TestSetDatasetState(t *testing.T) {
	change := func(state api.DatasetState) *api.Dataset {
		answer, err := catalogue.SetDatasetState(soon(t), &api.SetDatasetStateRequest{
			Name: "public-security/slow", State: state, Reason: "A test"})
		must(t, err)
		return answer.Dataset
	}
	expect(t, "A test", change(api.DatasetState_DATASET_STATE_SUSPENDED).StateReason)
	_, err := exchange.Query(soon(t), slow())
	expect(t, "DATASET_SUSPENDED", refused(t, codes.FailedPrecondition, err).Reason)
	change(api.DatasetState_DATASET_STATE_OFFERED)
}
