import com.amazonaws.AmazonServiceException;
import com.amazonaws.auth.AWSStaticCredentialsProvider;
import com.amazonaws.auth.BasicAWSCredentials;
import com.amazonaws.client.builder.AwsClientBuilder.EndpointConfiguration;
import com.amazonaws.services.s3.AmazonS3;
import com.amazonaws.services.s3.AmazonS3ClientBuilder;
import com.amazonaws.services.s3.model.*;
import com.amazonaws.services.s3.transfer.TransferManager;
import com.amazonaws.services.s3.transfer.TransferManagerBuilder;
import com.amazonaws.util.IOUtils;
import java.io.ByteArrayInputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Date;
import java.util.List;
import java.util.Objects;
import java.util.Random;

/** Asks a gateway what programs with the Java SDK 1 ask, and prints "ok" at the end. */
public class Checks {
  static final String BUCKET = "java-client";

  static void equal(Object actual, Object expected) {
    if (!Objects.equals(actual, expected)) {
      throw new AssertionError("expected " + expected + ", got " + actual);
    }
  }

  static void refused(String code, Runnable call) {
    try {
      call.run();
    } catch (AmazonServiceException error) {
      equal(error.getErrorCode(), code);
      return;
    }
    throw new AssertionError("no " + code);
  }

  static List<Tag> tags(String... keysAndValues) {
    List<Tag> made = new ArrayList<>();
    for (int i = 0; i < keysAndValues.length; i += 2) {
      made.add(new Tag(keysAndValues[i], keysAndValues[i + 1]));
    }
    return made;
  }

  public static void main(String[] arguments) throws Exception {
    AmazonS3 s3 = AmazonS3ClientBuilder.standard()
        .withEndpointConfiguration(new EndpointConfiguration(
            System.getenv("AWS_ENDPOINT_URL"), System.getenv("AWS_REGION")))
        .withCredentials(new AWSStaticCredentialsProvider(new BasicAWSCredentials(
            System.getenv("AWS_ACCESS_KEY_ID"), System.getenv("AWS_SECRET_ACCESS_KEY"))))
        .withPathStyleAccessEnabled(true)
        .build();
    buckets(s3);
    objects(s3);
    versions(s3);
    System.out.println("ok");
    s3.shutdown();
  }

  static void buckets(AmazonS3 s3) {
    equal(s3.doesBucketExistV2(BUCKET), false);
    refused("NoSuchBucket", () -> s3.getBucketAcl(BUCKET));
    s3.createBucket(BUCKET);
    equal(s3.doesBucketExistV2(BUCKET), true);
    equal(s3.listBuckets().get(0).getName(), BUCKET);
    s3.headBucket(new HeadBucketRequest(BUCKET));

    AccessControlList acl = s3.getBucketAcl(BUCKET);
    equal(acl.getGrantsAsList().size(), 1);
    equal(acl.getGrantsAsList().get(0).getPermission(), Permission.FullControl);
    equal(acl.getGrantsAsList().get(0).getGrantee().getIdentifier(), acl.getOwner().getId());
    s3.setBucketAcl(BUCKET, acl);
    s3.setBucketAcl(BUCKET, CannedAccessControlList.Private);

    equal(s3.getBucketLocation(BUCKET), "US");
    equal(s3.getBucketVersioningConfiguration(BUCKET).getStatus(), "Off");
    equal(s3.getBucketPolicy(BUCKET).getPolicyText(), null);
    equal(s3.getBucketLifecycleConfiguration(BUCKET), null);
    equal(s3.getBucketCrossOriginConfiguration(BUCKET), null);
    equal(s3.getBucketWebsiteConfiguration(BUCKET), null);
    equal(s3.getBucketTaggingConfiguration(BUCKET), null);
    equal(s3.getBucketNotificationConfiguration(BUCKET).getConfigurations().isEmpty(), true);
    equal(s3.getBucketLoggingConfiguration(BUCKET).isLoggingEnabled(), false);
    equal(s3.getBucketAccelerateConfiguration(
        new GetBucketAccelerateConfigurationRequest(BUCKET)).getStatus(), null);
    equal(s3.isRequesterPaysEnabled(BUCKET), false);
    refused("ReplicationConfigurationNotFoundError",
        () -> s3.getBucketReplicationConfiguration(BUCKET));
    refused("ServerSideEncryptionConfigurationNotFoundError", () -> s3.getBucketEncryption(BUCKET));
    refused("NoSuchPublicAccessBlockConfiguration",
        () -> s3.getPublicAccessBlock(new GetPublicAccessBlockRequest().withBucketName(BUCKET)));
    equal(s3.getBucketOwnershipControls(new GetBucketOwnershipControlsRequest()
        .withBucketName(BUCKET)).getOwnershipControls().getRules().get(0).getOwnership(),
        "BucketOwnerEnforced");

    s3.setBucketTaggingConfiguration(BUCKET, new BucketTaggingConfiguration(
        List.of(new TagSet(java.util.Map.of("team", "a b")))));
    equal(s3.getBucketTaggingConfiguration(BUCKET).getTagSet().getTag("team"), "a b");
    s3.deleteBucketTaggingConfiguration(BUCKET);
    equal(s3.getBucketTaggingConfiguration(BUCKET), null);

    s3.setBucketCrossOriginConfiguration(BUCKET, new BucketCrossOriginConfiguration(List.of(
        new CORSRule().withId("one").withAllowedOrigins(List.of("https://a.example"))
            .withAllowedMethods(List.of(CORSRule.AllowedMethods.GET)))));
    equal(s3.getBucketCrossOriginConfiguration(BUCKET).getRules().get(0).getId(), "one");
    s3.deleteBucketCrossOriginConfiguration(BUCKET);
  }

  static void objects(AmazonS3 s3) throws Exception {
    s3.putObject(BUCKET, "one", "content");
    equal(s3.getObjectAsString(BUCKET, "one"), "content");
    equal(s3.doesObjectExist(BUCKET, "one"), true);
    equal(s3.doesObjectExist(BUCKET, "none"), false);
    AccessControlList acl = s3.getObjectAcl(BUCKET, "one");
    equal(acl.getGrantsAsList().get(0).getPermission(), Permission.FullControl);
    s3.setObjectAcl(BUCKET, "one", CannedAccessControlList.Private);

    s3.setObjectTagging(new SetObjectTaggingRequest(
        BUCKET, "one", new ObjectTagging(tags("a", "1", "b", ""))));
    GetObjectTaggingRequest asks = new GetObjectTaggingRequest(BUCKET, "one");
    equal(s3.getObjectTagging(asks).getTagSet(), tags("a", "1", "b", ""));
    s3.deleteObjectTagging(new DeleteObjectTaggingRequest(BUCKET, "one"));
    equal(s3.getObjectTagging(asks).getTagSet(), tags());

    ObjectMetadata metadata = new ObjectMetadata();
    metadata.setContentLength(7);
    metadata.setContentType("text/x-odd");
    metadata.addUserMetadata("author", "ann");
    s3.putObject(new PutObjectRequest(
        BUCKET, "tagged", new ByteArrayInputStream("content".getBytes()), metadata)
        .withCannedAcl(CannedAccessControlList.Private)
        .withTagging(new ObjectTagging(tags("c", "3"))));
    ObjectMetadata kept = s3.getObjectMetadata(BUCKET, "tagged");
    equal(kept.getContentType(), "text/x-odd");
    equal(kept.getUserMetaDataOf("author"), "ann");
    s3.copyObject(BUCKET, "tagged", BUCKET, "copy +%/ä");
    GetObjectTaggingRequest ofCopy = new GetObjectTaggingRequest(BUCKET, "copy +%/ä");
    equal(s3.getObjectTagging(ofCopy).getTagSet(), tags("c", "3"));

    byte[] large = new byte[6 * 1024 * 1024];
    new Random(1).nextBytes(large);
    ObjectMetadata size = new ObjectMetadata();
    size.setContentLength(large.length);
    TransferManager transfers = TransferManagerBuilder.standard().withS3Client(s3)
        .withMultipartUploadThreshold(5L << 20).withMinimumUploadPartSize(5L << 20).build();
    transfers.upload(BUCKET, "parts", new ByteArrayInputStream(large), size).waitForCompletion();
    transfers.shutdownNow(false);
    try (S3Object parts = s3.getObject(BUCKET, "parts")) {
      equal(Arrays.equals(IOUtils.toByteArray(parts.getObjectContent()), large), true);
    }
    equal(s3.listMultipartUploads(new ListMultipartUploadsRequest(BUCKET))
        .getMultipartUploads().size(), 0);

    URI url = s3.generatePresignedUrl(
        BUCKET, "one", new Date(System.currentTimeMillis() + 600_000)).toURI();
    // By itself, it asks for HTTP/2 on a connection without TLS, which docs/limits.md describes.
    HttpClient http1 = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
    HttpResponse<String> response = http1.send(
        HttpRequest.newBuilder(url).build(), HttpResponse.BodyHandlers.ofString());
    equal(response.statusCode() + response.body(), "200content");

    refused("NoSuchKey", () -> s3.getObject(BUCKET, "none"));
    equal(s3.listObjectsV2(BUCKET).getKeyCount(), 4);
    equal(s3.listObjects(BUCKET, "copy").getObjectSummaries().get(0).getKey(), "copy +%/ä");
  }

  static void versions(AmazonS3 s3) {
    List<String> found = new ArrayList<>();
    VersionListing page = s3.listVersions(new ListVersionsRequest()
        .withBucketName(BUCKET).withMaxResults(3));
    while (true) {
      for (S3VersionSummary version : page.getVersionSummaries()) {
        equal(version.getVersionId(), "null");
        equal(version.isLatest(), true);
        equal(version.isDeleteMarker(), false);
        found.add(version.getKey());
      }
      if (!page.isTruncated()) break;
      page = s3.listNextBatchOfVersions(page);
    }
    equal(found, List.of("copy +%/ä", "one", "parts", "tagged"));
    refused("BucketNotEmpty", () -> s3.deleteBucket(BUCKET));

    s3.deleteVersion(BUCKET, "one", "null");
    List<DeleteObjectsRequest.KeyVersion> rest = new ArrayList<>();
    for (String key : found) rest.add(new DeleteObjectsRequest.KeyVersion(key, "null"));
    equal(s3.deleteObjects(new DeleteObjectsRequest(BUCKET).withKeys(rest))
        .getDeletedObjects().size(), 4);
    equal(s3.listVersions(BUCKET, "").getVersionSummaries().size(), 0);
    s3.deleteBucket(BUCKET);
    equal(s3.doesBucketExistV2(BUCKET), false);
  }
}
