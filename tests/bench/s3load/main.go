// s3load puts one kind of load on an S3 endpoint and prints one JSON line of what it saw.
//
// It uses nothing but Go's standard library, signs every request with SigV4
// (UNSIGNED-PAYLOAD, so that the client's own hashing does not hide the server's cost;
// -signed hashes bodies instead), and verifies every downloaded byte count. With several endpoints,
// separated by commas, it sends each request to the next one.
//
//	s3load -endpoint http://127.0.0.1:5222 -access A -secret S -op put -size 4096 -n 2000 -c 8
//
// Operations: put, get, get-version (the versions that put wrote to the file -versions), head, delete, list (pages through a bucket), list-dir (prefix and
// delimiter), range (random 64 KiB ranges of one object), multipart (one object of -size in
// parts of -part, all of the same bytes), get-part (the parts of that object, by number),
// fill (keys like d0001/f000001, for listing).
package main

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"flag"
	"fmt"
	"io"
	"math/rand"
	"net/http"
	"net/url"
	"os"
	"sort"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

var (
	endpoint = flag.String("endpoint", "http://127.0.0.1:5222", "S3 endpoint, path style; several separated by commas")
	access   = flag.String("access", "", "access key id")
	secret   = flag.String("secret", "", "secret access key")
	region   = flag.String("region", "us-east-1", "region in the credential scope")
	bucket   = flag.String("bucket", "s3load", "bucket; made if missing")
	op       = flag.String("op", "put", "put|get|get-version|head|delete|list|list-dir|range|multipart|get-part|fill")
	size     = flag.Int("size", 4096, "object size in bytes")
	part     = flag.Int("part", 8<<20, "part size in bytes (multipart, get-part)")
	n        = flag.Int("n", 1000, "number of operations (list: pages at most; fill: keys)")
	keys     = flag.Int("keys", 0, "begin again at the first key after this many (0: never)")
	c        = flag.Int("c", 8, "requests in flight")
	prefix   = flag.String("prefix", "load/", "key prefix")
	versions = flag.String("versions", "", "file of version ids, one of each key: put writes it, get-version reads it")
	maxTime  = flag.Duration("t", 60*time.Second, "stop after this long")
	signed   = flag.Bool("signed", false, "sign payload hashes instead of UNSIGNED-PAYLOAD")
)

var client *http.Client

var (
	endpoints []string
	turn      atomic.Uint64
)

func hm(key []byte, s string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(s))
	return h.Sum(nil)
}

func esc(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		ch := s[i]
		if ch >= 'A' && ch <= 'Z' || ch >= 'a' && ch <= 'z' || ch >= '0' && ch <= '9' || strings.IndexByte("-_.~", ch) >= 0 {
			b.WriteByte(ch)
		} else {
			fmt.Fprintf(&b, "%%%02X", ch)
		}
	}
	return b.String()
}

// do sends one signed request and returns the response with its body still open.
func do(method, key string, query map[string]string, body []byte, header map[string]string) (*http.Response, error) {
	path := "/" + *bucket
	if key != "" {
		for _, seg := range strings.Split(key, "/") {
			path += "/" + esc(seg)
		}
	}
	var qs []string
	for k, v := range query {
		qs = append(qs, esc(k)+"="+esc(v))
	}
	sort.Strings(qs)
	q := strings.Join(qs, "&")
	base := endpoints[turn.Add(1)%uint64(len(endpoints))]
	u, err := url.Parse(base)
	if err != nil {
		return nil, err
	}
	raw := base + path
	if q != "" {
		raw += "?" + q
	}
	req, err := http.NewRequest(method, raw, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	now := time.Now().UTC()
	stamp, day := now.Format("20060102T150405Z"), now.Format("20060102")
	sum := "UNSIGNED-PAYLOAD"
	if *signed || len(body) == 0 {
		h := sha256.Sum256(body)
		sum = hex.EncodeToString(h[:])
	}
	hd := map[string]string{"host": u.Host, "x-amz-content-sha256": sum, "x-amz-date": stamp}
	for k, v := range header {
		hd[strings.ToLower(k)] = v
	}
	var names []string
	for k := range hd {
		names = append(names, k)
	}
	sort.Strings(names)
	var ch strings.Builder
	for _, k := range names {
		ch.WriteString(k + ":" + hd[k] + "\n")
		if k != "host" {
			req.Header.Set(k, hd[k])
		}
	}
	sh := strings.Join(names, ";")
	cr := method + "\n" + path + "\n" + q + "\n" + ch.String() + "\n" + sh + "\n" + sum
	crh := sha256.Sum256([]byte(cr))
	scope := day + "/" + *region + "/s3/aws4_request"
	sts := "AWS4-HMAC-SHA256\n" + stamp + "\n" + scope + "\n" + hex.EncodeToString(crh[:])
	k := hm(hm(hm(hm([]byte("AWS4"+*secret), day), *region), "s3"), "aws4_request")
	req.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential="+*access+"/"+scope+", SignedHeaders="+sh+", Signature="+hex.EncodeToString(hm(k, sts)))
	return client.Do(req)
}

// call sends a request, reads the whole answer and fails on any status that is not want.
func call(method, key string, query map[string]string, body []byte, header map[string]string, want ...int) (int64, []byte, http.Header, error) {
	r, err := do(method, key, query, body, header)
	if err != nil {
		return 0, nil, nil, err
	}
	defer r.Body.Close()
	for _, w := range want {
		if r.StatusCode == w {
			if method == "GET" && key != "" {
				n, err := io.Copy(io.Discard, r.Body)
				return n, nil, r.Header, err
			}
			b, err := io.ReadAll(r.Body)
			return int64(len(b)), b, r.Header, err
		}
	}
	b, _ := io.ReadAll(io.LimitReader(r.Body, 400))
	return 0, nil, nil, fmt.Errorf("%s %s: %d %s", method, key, r.StatusCode, b)
}

func keyOf(i int) string {
	if *keys > 0 {
		i %= *keys
	}
	if *op == "fill" {
		return fmt.Sprintf("d%04d/f%07d", i%1000, i)
	}
	return fmt.Sprintf("%s%d-%07d", *prefix, *size, i)
}

// isThere tells whether the first key has an object of -size bytes.
func isThere() bool {
	r, err := do("HEAD", keyOf(0), nil, nil, nil)
	if err != nil {
		return false
	}
	defer r.Body.Close()
	return r.StatusCode == 200 && r.ContentLength == int64(*size)
}

// cpu is what this process has used of processor time, in seconds; 0 where there is no /proc.
func cpu() float64 {
	stat, err := os.ReadFile("/proc/self/stat")
	if err != nil {
		return 0
	}
	f := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	if len(f) < 13 {
		return 0
	}
	user, _ := strconv.ParseFloat(f[11], 64)
	system, _ := strconv.ParseFloat(f[12], 64)
	return (user + system) / 100
}

type page struct {
	IsTruncated           bool
	NextContinuationToken string
	Contents              []struct{ Key string }
	CommonPrefixes        []struct{ Prefix string }
}

func main() {
	flag.Parse()
	endpoints = strings.Split(*endpoint, ",")
	client = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: *c, MaxConnsPerHost: *c, DisableCompression: true, WriteBufferSize: 256 << 10, ReadBufferSize: 256 << 10}}
	if _, _, _, err := call("PUT", "", nil, nil, nil, 200, 409); err != nil {
		fmt.Fprintln(os.Stderr, "bucket:", err)
		os.Exit(1)
	}
	if *op == "range" && *size <= 65536 {
		fmt.Fprintln(os.Stderr, "range needs -size over 65536")
		os.Exit(1)
	}
	var ids []string
	if *versions != "" && *op == "put" {
		ids = make([]string, *n)
	} else if *op == "get-version" {
		text, err := os.ReadFile(*versions)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		ids = strings.Split(string(text), "\n")
		*keys = len(ids)
	}
	var data []byte
	if *op == "put" || *op == "fill" || *op == "multipart" || *op == "range" && !isThere() {
		length := *size
		if *op == "multipart" {
			length = min(*part, *size)
		}
		data = make([]byte, length)
		rand.New(rand.NewSource(1)).Read(data)
	}
	if *op == "range" && data != nil {
		if _, _, _, err := call("PUT", keyOf(0), nil, data, nil, 200); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	var next, failed, bytesMoved, items atomic.Int64
	var mu sync.Mutex
	var lat []float64
	var completed float64
	var firstErr error
	deadline := time.Now().Add(*maxTime)
	start, before := time.Now(), cpu()
	one := func(i int) (err error) {
		var got int64
		switch *op {
		case "put", "fill":
			got = int64(len(data))
			var h http.Header
			_, _, h, err = call("PUT", keyOf(i), nil, data, nil, 200)
			if ids != nil && err == nil {
				ids[i] = h.Get("x-amz-version-id")
			}
		case "get-version":
			got, _, _, err = call("GET", keyOf(i), map[string]string{"versionId": ids[i%len(ids)]}, nil, nil, 200)
			if err == nil && got != int64(*size) {
				err = fmt.Errorf("GET %s: %d bytes, want %d", keyOf(i), got, *size)
			}
		case "get":
			got, _, _, err = call("GET", keyOf(i), nil, nil, nil, 200)
			if err == nil && got != int64(*size) {
				err = fmt.Errorf("GET %s: %d bytes, want %d", keyOf(i), got, *size)
			}
		case "head":
			_, _, _, err = call("HEAD", keyOf(i), nil, nil, nil, 200)
		case "delete":
			_, _, _, err = call("DELETE", keyOf(i), nil, nil, nil, 204, 200)
		case "range":
			o := rand.Intn(*size - 65536)
			got, _, _, err = call("GET", keyOf(0), nil, nil, map[string]string{"Range": fmt.Sprintf("bytes=%d-%d", o, o+65535)}, 206)
			if err == nil && got != 65536 {
				err = fmt.Errorf("range: %d bytes", got)
			}
		case "get-part":
			p := i % ((*size + *part - 1) / *part)
			want := int64(min(*part, *size-p**part))
			got, _, _, err = call("GET", keyOf(0), map[string]string{"partNumber": fmt.Sprint(p + 1)}, nil, nil, 206)
			if err == nil && got != want {
				err = fmt.Errorf("part %d: %d bytes, want %d", p+1, got, want)
			}
		case "list-dir":
			var b []byte
			_, b, _, err = call("GET", "", map[string]string{"list-type": "2", "delimiter": "/", "prefix": fmt.Sprintf("d%04d/", rand.Intn(1000))}, nil, nil, 200)
			if err == nil {
				var p page
				err = xml.Unmarshal(b, &p)
				items.Add(int64(len(p.Contents) + len(p.CommonPrefixes)))
			}
		}
		bytesMoved.Add(got)
		return
	}
	record := func(s time.Time, err error) {
		d := time.Since(s).Seconds() * 1000
		mu.Lock()
		lat = append(lat, d)
		if err != nil {
			failed.Add(1)
			if firstErr == nil {
				firstErr = err
			}
		}
		mu.Unlock()
	}
	switch *op {
	case "list":
		token := ""
		for i := 0; i < *n && time.Now().Before(deadline); i++ {
			q := map[string]string{"list-type": "2", "max-keys": "1000"}
			if token != "" {
				q["continuation-token"] = token
			}
			s := time.Now()
			_, b, _, err := call("GET", "", q, nil, nil, 200)
			var p page
			if err == nil {
				err = xml.Unmarshal(b, &p)
			}
			record(s, err)
			if err != nil {
				break
			}
			items.Add(int64(len(p.Contents)))
			if !p.IsTruncated {
				break
			}
			token = p.NextContinuationToken
		}
	case "multipart":
		s := time.Now()
		key := keyOf(0)
		_, b, _, err := call("POST", key, map[string]string{"uploads": ""}, nil, nil, 200)
		var init struct{ UploadId string }
		if err == nil {
			err = xml.Unmarshal(b, &init)
		}
		parts := (*size + *part - 1) / *part
		etags := make([]string, parts)
		var wg sync.WaitGroup
		for w := 0; w < *c && err == nil; w++ {
			wg.Add(1)
			go func() {
				defer wg.Done()
				for {
					i := int(next.Add(1)) - 1
					if i >= parts {
						return
					}
					b := data[:min(*part, *size-i**part)]
					ps := time.Now()
					_, _, h, err := call("PUT", key, map[string]string{"partNumber": fmt.Sprint(i + 1), "uploadId": init.UploadId}, b, nil, 200)
					record(ps, err)
					if err == nil {
						etags[i] = h.Get("ETag")
						bytesMoved.Add(int64(len(b)))
					}
				}
			}()
		}
		wg.Wait()
		if err == nil && failed.Load() == 0 {
			var x strings.Builder
			x.WriteString("<CompleteMultipartUpload>")
			for i, t := range etags {
				fmt.Fprintf(&x, "<Part><PartNumber>%d</PartNumber><ETag>%s</ETag></Part>", i+1, t)
			}
			x.WriteString("</CompleteMultipartUpload>")
			cs := time.Now()
			var answer []byte
			_, answer, _, err = call("POST", key, map[string]string{"uploadId": init.UploadId}, []byte(x.String()), nil, 200)
			completed = time.Since(cs).Seconds() * 1000
			// An error may come with status 200.
			if err == nil && !bytes.Contains(answer, []byte("<CompleteMultipartUploadResult")) {
				err = fmt.Errorf("complete: %s", answer)
			}
		}
		if err != nil {
			record(s, err)
		}
	default:
		var wg sync.WaitGroup
		for w := 0; w < *c; w++ {
			wg.Add(1)
			go func() {
				defer wg.Done()
				for time.Now().Before(deadline) {
					i := int(next.Add(1)) - 1
					if i >= *n {
						return
					}
					s := time.Now()
					record(s, one(i))
				}
			}()
		}
		wg.Wait()
	}
	el := time.Since(start).Seconds()
	if ids != nil && *op == "put" {
		if err := os.WriteFile(*versions, []byte(strings.Join(ids, "\n")), 0o644); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	sort.Float64s(lat)
	pc := func(p float64) float64 {
		if len(lat) == 0 {
			return 0
		}
		return lat[min(len(lat)-1, int(p*float64(len(lat))))]
	}
	out := map[string]any{"op": *op, "size": *size, "c": *c, "ops": len(lat), "failed": failed.Load(), "seconds": round(el), "ops_s": round(float64(len(lat)) / el),
		"MB_s": round(float64(bytesMoved.Load()) / 1e6 / el), "p50_ms": round(pc(.5)), "p99_ms": round(pc(.99)), "items": items.Load(), "cpu_s": round(cpu() - before)}
	if completed > 0 {
		out["complete_ms"] = round(completed)
	}
	if firstErr != nil {
		out["error"] = firstErr.Error()
	}
	j, _ := json.Marshal(out)
	fmt.Println(string(j))
	if failed.Load() > 0 {
		os.Exit(2)
	}
}

func round(f float64) float64 { return float64(int(f*100+.5)) / 100 }
