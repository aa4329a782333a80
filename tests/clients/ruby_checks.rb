# Asks a gateway what programs with the SDK for Ruby ask, and prints "ok" at the end.

require "aws-sdk-s3"
require "net/http"
require "securerandom"
require "tempfile"

def equal(actual, expected)
  raise "expected #{expected.inspect}, got #{actual.inspect}" unless actual == expected
end

def refused(error)
  yield
rescue error
  nil
else
  raise "no #{error}"
end

client = Aws::S3::Client.new(endpoint: ENV["AWS_ENDPOINT_URL"], force_path_style: true)
bucket = Aws::S3::Resource.new(client: client).bucket("ruby-client")

equal(bucket.exists?, false)
bucket.create
bucket.wait_until_exists
equal(bucket.exists?, true)
equal(bucket.acl.grants.map(&:permission), ["FULL_CONTROL"])
equal(bucket.versioning.status, nil)
equal(client.get_bucket_location(bucket: bucket.name).location_constraint, "")
equal(bucket.request_payment.payer, "BucketOwner")
refused(Aws::S3::Errors::NoSuchCORSConfiguration) { bucket.cors.cors_rules }
refused(Aws::S3::Errors::NoSuchLifecycleConfiguration) { bucket.lifecycle_configuration.rules }
refused(Aws::S3::Errors::NoSuchBucketPolicy) { bucket.policy.policy }
refused(Aws::S3::Errors::NoSuchTagSet) { bucket.tagging.tag_set }
refused(Aws::S3::Errors::NoSuchWebsiteConfiguration) { bucket.website.index_document }
bucket.tagging.put(tagging: { tag_set: [{ key: "team", value: "a b" }] })
equal(bucket.tagging.tag_set.map(&:to_h), [{ key: "team", value: "a b" }])

one = bucket.put_object(key: "one", body: "content", acl: "private", tagging: "a=1", metadata: { "author" => "ann" })
equal(one.get.body.read, "content")
equal(one.metadata, { "author" => "ann" })
tags = client.get_object_tagging(bucket: bucket.name, key: "one").tag_set.map(&:to_h)
equal(tags, [{ key: "a", value: "1" }])
equal(Net::HTTP.get(URI(one.presigned_url(:get))), "content")

large = SecureRandom.bytes(11 * 1024 * 1024)
parts = bucket.object("deep/parts +%/ä")
Tempfile.create do |file|
  file.binmode
  file.write(large)
  file.flush
  parts.upload_file(file.path, multipart_threshold: 5 * 1024 * 1024)
end
equal(parts.get.body.read.b == large, true)
parts.copy_to(bucket.object("copy"), multipart_copy: true)
equal(bucket.object("copy").get.body.read.b == large, true)
bucket.object("copy").move_to(bucket.object("moved"))
equal(bucket.objects.map(&:key), ["deep/parts +%/ä", "moved", "one"])
equal(bucket.object_versions.map { |version| [version.object_key, version.id] },
      [["deep/parts +%/ä", "null"], ["moved", "null"], ["one", "null"]])

refused(Aws::S3::Errors::BucketNotEmpty) { bucket.delete }
bucket.object_versions(prefix: "one").batch_delete!
equal(one.exists?, false)
bucket.clear!
equal(bucket.objects.count, 0)
bucket.delete!
equal(bucket.exists?, false)
puts "ok"
