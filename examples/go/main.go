// aws-sdk-go-v2: puts, gets and lists objects, and recognizes a missing key.
//
// Run it while `deno task dev` is running:
//
//	. examples/dev.sh
//	go run -C examples/go .
package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

const bucket = "example-go"

func main() {
	if err := run(context.Background()); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context) error {
	// AWS_ENDPOINT_URL, the credentials and AWS_REGION come from the environment.
	cfg, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return err
	}
	// Path style needs no DNS.
	client := s3.NewFromConfig(cfg, func(o *s3.Options) { o.UsePathStyle = true })

	if _, err := client.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: aws.String(bucket)}); err != nil {
		return err
	}
	body := make([]byte, 3<<20)
	rand.Read(body)
	for _, key := range []string{"a/one", "a/two words", "b/three"} {
		_, err := client.PutObject(ctx, &s3.PutObjectInput{
			Bucket:   aws.String(bucket),
			Key:      aws.String(key),
			Body:     bytes.NewReader(body),
			Metadata: map[string]string{"author": "ann"},
		})
		if err != nil {
			return err
		}
	}

	got, err := client.GetObject(ctx, &s3.GetObjectInput{
		Bucket: aws.String(bucket),
		Key:    aws.String("a/two words"),
	})
	if err != nil {
		return err
	}
	defer got.Body.Close()
	// The SDK sent a checksum with the PUT and verifies it here.
	back, err := io.ReadAll(got.Body)
	if err != nil {
		return err
	}
	if !bytes.Equal(back, body) {
		return errors.New("other bytes came back")
	}
	fmt.Printf("got %d bytes by %s\n", len(back), got.Metadata["author"])

	_, err = client.GetObject(ctx, &s3.GetObjectInput{
		Bucket: aws.String(bucket),
		Key:    aws.String("no such key"),
	})
	if noSuchKey := (*types.NoSuchKey)(nil); !errors.As(err, &noSuchKey) {
		return fmt.Errorf("expected NoSuchKey, not %v", err)
	}
	fmt.Println("no such key: NoSuchKey")

	top, err := client.ListObjectsV2(ctx, &s3.ListObjectsV2Input{
		Bucket:    aws.String(bucket),
		Delimiter: aws.String("/"),
	})
	if err != nil {
		return err
	}
	for _, prefix := range top.CommonPrefixes {
		fmt.Println("prefix", aws.ToString(prefix.Prefix))
	}

	var keys []string
	pages := s3.NewListObjectsV2Paginator(client, &s3.ListObjectsV2Input{
		Bucket:  aws.String(bucket),
		MaxKeys: aws.Int32(2),
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return err
		}
		for _, object := range page.Contents {
			key := aws.ToString(object.Key)
			keys = append(keys, key)
			_, err := client.DeleteObject(ctx, &s3.DeleteObjectInput{
				Bucket: aws.String(bucket),
				Key:    object.Key,
			})
			if err != nil {
				return err
			}
		}
	}
	fmt.Println("deleted", strings.Join(keys, ", "))
	_, err = client.DeleteBucket(ctx, &s3.DeleteBucketInput{Bucket: aws.String(bucket)})
	return err
}
