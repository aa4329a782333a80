// Command minio_go asks a gateway what MinIO's client mc asks of it by this library, and prints "ok" at the end.
package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"reflect"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
	"github.com/minio/minio-go/v7/pkg/tags"
)

const (
	bucket = "minio-go"
	other  = "minio-go-two"
	large  = 6 << 20
)

var ctx = context.Background()

func main() {
	address, err := url.Parse(os.Getenv("AWS_ENDPOINT_URL"))
	must(err)
	// Without a region, as mc: the library asks GetBucketLocation, and signs for its answer.
	client, err := minio.New(address.Host, &minio.Options{
		Creds: credentials.NewStaticV4(
			os.Getenv("AWS_ACCESS_KEY_ID"), os.Getenv("AWS_SECRET_ACCESS_KEY"), "",
		),
		Secure: address.Scheme == "https",
	})
	must(err)
	makeBuckets(client)
	askOfBucket(client)
	copyAndStat(client)
	tagObjects(client)
	share(client)
	remove(client)
	fmt.Println("ok")
}

// makeBuckets does what `mc mb`, `mc ls` and `mc stat` do.
func makeBuckets(client *minio.Client) {
	exists, err := client.BucketExists(ctx, bucket)
	must(err)
	equal(exists, false)
	for _, name := range []string{bucket, other} {
		must(client.MakeBucket(ctx, name, minio.MakeBucketOptions{}))
	}
	exists, err = client.BucketExists(ctx, bucket)
	must(err)
	equal(exists, true)
	// In us-east-1, the owner of a bucket may create it again.
	must(client.MakeBucket(ctx, bucket, minio.MakeBucketOptions{}))
	listed, err := client.ListBuckets(ctx)
	must(err)
	equal([]string{listed[0].Name, listed[1].Name}, []string{bucket, other})
}

// askOfBucket asks for what `mc stat`, `mc version`, `mc anonymous get`, `mc ilm` and their like ask for.
func askOfBucket(client *minio.Client) {
	location, err := client.GetBucketLocation(ctx, bucket)
	must(err)
	equal(location, "us-east-1")
	versioning, err := client.GetBucketVersioning(ctx, bucket)
	must(err)
	equal(versioning.Status, "")
	policy, err := client.GetBucketPolicy(ctx, bucket)
	must(err)
	equal(policy, "")
	_, err = client.GetBucketLifecycle(ctx, bucket)
	code(err, "NoSuchLifecycleConfiguration")
	_, err = client.GetBucketEncryption(ctx, bucket)
	code(err, "ServerSideEncryptionConfigurationNotFoundError")
	replication, err := client.GetBucketReplication(ctx, bucket)
	must(err)
	equal(len(replication.Rules), 0)
	_, _, _, _, err = client.GetObjectLockConfig(ctx, bucket)
	code(err, "ObjectLockConfigurationNotFoundError")
	notification, err := client.GetBucketNotification(ctx, bucket)
	must(err)
	equal(len(notification.QueueConfigs)+len(notification.TopicConfigs), 0)
	cors, err := client.GetBucketCors(ctx, bucket)
	must(err)
	equal(cors == nil, true)

	_, err = client.GetBucketTagging(ctx, bucket)
	code(err, "NoSuchTagSet")
	made, err := tags.NewTags(map[string]string{"team": "a b"}, false)
	must(err)
	must(client.SetBucketTagging(ctx, bucket, made))
	got, err := client.GetBucketTagging(ctx, bucket)
	must(err)
	equal(got.ToMap(), map[string]string{"team": "a b"})
	must(client.RemoveBucketTagging(ctx, bucket))
	_, err = client.GetBucketTagging(ctx, bucket)
	code(err, "NoSuchTagSet")
}

// copyAndStat does what `mc cp`, `mc pipe`, `mc cat` and `mc stat` do.
func copyAndStat(client *minio.Client) {
	_, err := client.PutObject(ctx, bucket, "one", bytes.NewReader([]byte("content")), 7,
		minio.PutObjectOptions{
			ContentType:  "text/x-odd",
			UserMetadata: map[string]string{"Author": "ann"},
			UserTags:     map[string]string{"a": "1"},
		})
	must(err)
	stat, err := client.StatObject(ctx, bucket, "one", minio.StatObjectOptions{Checksum: true})
	must(err)
	equal(stat.Size, int64(7))
	equal(stat.ContentType, "text/x-odd")
	equal(stat.UserMetadata["Author"], "ann")
	equal(stat.UserTagCount, 1)

	content := make([]byte, large)
	_, err = rand.Read(content)
	must(err)
	// In parts of unknown number, as `mc pipe`.
	_, err = client.PutObject(ctx, bucket, "deep/parts", bytes.NewReader(content), -1,
		minio.PutObjectOptions{PartSize: 5 << 20, UserTags: map[string]string{"b": "2"}})
	must(err)
	equal(bytes.Equal(read(client, bucket, "deep/parts"), content), true)

	source := minio.CopySrcOptions{Bucket: bucket, Object: "deep/parts"}
	_, err = client.CopyObject(ctx, minio.CopyDestOptions{Bucket: other, Object: "copy +%/ä"}, source)
	must(err)
	equal(bytes.Equal(read(client, other, "copy +%/ä"), content), true)
	copied, err := client.GetObjectTagging(ctx, other, "copy +%/ä", minio.GetObjectTaggingOptions{})
	must(err)
	equal(copied.ToMap(), map[string]string{"b": "2"})
	_, err = client.ComposeObject(ctx, minio.CopyDestOptions{Bucket: other, Object: "composed"},
		source, minio.CopySrcOptions{Bucket: bucket, Object: "one"})
	must(err)
	equal(read(client, other, "composed"), append(content, "content"...))
	_, err = client.StatObject(ctx, bucket, "none", minio.StatObjectOptions{})
	code(err, "NoSuchKey")
}

// tagObjects does what `mc tag set`, `mc tag list` and `mc tag remove` do.
func tagObjects(client *minio.Client) {
	made, err := tags.NewTags(map[string]string{"c": "3", "d": ""}, true)
	must(err)
	must(client.PutObjectTagging(ctx, bucket, "one", made, minio.PutObjectTaggingOptions{}))
	got, err := client.GetObjectTagging(ctx, bucket, "one", minio.GetObjectTaggingOptions{})
	must(err)
	equal(got.ToMap(), map[string]string{"c": "3", "d": ""})
	must(client.RemoveObjectTagging(ctx, bucket, "one", minio.RemoveObjectTaggingOptions{}))
	got, err = client.GetObjectTagging(ctx, bucket, "one", minio.GetObjectTaggingOptions{})
	must(err)
	equal(got.Count(), 0)
}

// share does what `mc share download` and `mc share upload` without a form do.
func share(client *minio.Client) {
	address, err := client.PresignedGetObject(ctx, bucket, "one", time.Hour, nil)
	must(err)
	response, err := http.Get(address.String())
	must(err)
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	must(err)
	equal(response.StatusCode, 200)
	equal(string(body), "content")
	address, err = client.PresignedPutObject(ctx, bucket, "shared", time.Hour)
	must(err)
	request, err := http.NewRequest("PUT", address.String(), bytes.NewReader([]byte("shared")))
	must(err)
	uploaded, err := http.DefaultClient.Do(request)
	must(err)
	defer uploaded.Body.Close()
	equal(uploaded.StatusCode, 200)
	equal(string(read(client, bucket, "shared")), "shared")
}

// remove does what `mc ls --versions`, `mc rm --recursive --force --versions` and `mc rb` do.
func remove(client *minio.Client) {
	found := []string{}
	for object := range client.ListObjects(ctx, bucket, minio.ListObjectsOptions{WithVersions: true}) {
		must(object.Err)
		found = append(found, object.Key+" "+object.VersionID)
	}
	equal(found, []string{"one null", "shared null", "deep/ "})
	code(client.RemoveBucket(ctx, bucket), "BucketNotEmpty")
	must(client.RemoveObject(ctx, bucket, "shared", minio.RemoveObjectOptions{VersionID: "null"}))
	for _, name := range []string{bucket, other} {
		all := client.ListObjects(ctx, name, minio.ListObjectsOptions{WithVersions: true, Recursive: true})
		for failed := range client.RemoveObjects(ctx, name, all, minio.RemoveObjectsOptions{}) {
			must(failed.Err)
		}
		for range client.ListObjects(ctx, name, minio.ListObjectsOptions{Recursive: true}) {
			panic("an object was left")
		}
		for upload := range client.ListIncompleteUploads(ctx, name, "", true) {
			must(upload.Err)
			panic("an upload was left")
		}
		must(client.RemoveBucket(ctx, name))
	}
	exists, err := client.BucketExists(ctx, bucket)
	must(err)
	equal(exists, false)
}

func read(client *minio.Client, bucket, key string) []byte {
	object, err := client.GetObject(ctx, bucket, key, minio.GetObjectOptions{})
	must(err)
	defer object.Close()
	content, err := io.ReadAll(object)
	must(err)
	return content
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

func code(err error, expected string) {
	if actual := minio.ToErrorResponse(err).Code; actual != expected {
		panic(fmt.Sprintf("expected %s, got %v", expected, err))
	}
}

func equal(actual, expected any) {
	if !reflect.DeepEqual(actual, expected) {
		panic(fmt.Sprintf("expected %.200v, got %.200v", expected, actual))
	}
}
