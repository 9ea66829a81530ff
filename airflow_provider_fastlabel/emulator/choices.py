"""What FastLabel does not document and we chose; shown at ``GET /_emulator/choices``."""

from __future__ import annotations

from types import MappingProxyType

CHOICES = MappingProxyType(
    {
        "error codes": "401 wrong token, 404 unknown id, slug or route, 409 taken name or slug, 422 refused value or "
        "field, 429 over the quota with Retry-After in seconds; always statusCode, message (one string), error",
        "quota": "a sliding window of 10 minutes per token; refused calls (401, 429, faults) do not count",
        "unknown fields": "422 naming the field, in body and query; --lenient or strict=false ignores them, and takes "
        "the type of an annotation from its class",
        "order of lists": "creation order, oldest first; annotation classes by their order field",
        "taskName": "exact match",
        "several tags": "tasks that carry all of them; an unknown tag matches nothing; more than 10 is 422",
        "page maxima": "10 for video, sequential image, sequential PCD, multi-modal; 100 robotics; 1000 otherwise, "
        "also for text and audio; more is 422; limit 0 is an empty page",
        "list of another kind": "empty: a project has tasks of one kind; creating another kind is 422",
        "new task": "status and externalStatus registered, priority 0",
        "update": "keys sent replace (annotations, attributes, tags, metadatas as whole lists), absent or empty ones "
        "stay; a null user clears the assignment; any status may follow any other",
        "users": "a slug nobody has is 422; a workspace starts with the owner 'admin'; more with PUT /_emulator/users",
        "annotations": "unknown class value, a type that is not the class's, an unknown attribute key or option, "
        "impossible geometry: 422 naming the annotation; id, title, color and the like are accepted and ignored; "
        "a box with swapped corners is stored as sent",
        "frame-keyed points": "stored as sent, missing frames are not filled in",
        "sequential image": "content must be the name of one of the task's files",
        "order of contents": "ascending file name, whatever order was sent",
        "files": "size limits as in the table of kinds; PCD 100 MB; images must be readable JPEG or PNG, videos H.264; "
        "text, audio and PCD are not looked into; the extension of a task name does not matter",
        "limits of our own": "JSON 64 MB without its files and 64 levels, uploads 2,000 MB: 413 or 422; zips, "
        "stored or deflated, that unpack to at most 20 times their size, or 16 MB: 422",
        "callers": "Host must be a loopback name with the port, or named with --allow-host; calls of web pages are 403",
        "image size": "as stored in the file; EXIF orientation is not applied and isDeleteExif changes nothing",
        "integrated images": "no url and no size: the bucket behind storageType is not read; the name is the path",
        "deleted class": "its annotations are removed from the tasks; a changed value, title or colour shows on them",
        "class attributes": "an update replaces the whole list; ids of kept keys stay; pose keypoints are set with "
        "PUT /_emulator/keypoints",
        "class values": "ASCII letters, digits and underscores, as the help pages say of the file of classes, and the "
        "hyphen, which FastLabel's own README has in its examples; others are 422; --lenient takes any",
        "class types": "a class's type must fit the project's kind of task",
        "tags": "come into being by being named on a task; deleting one takes it off the tasks",
        "deletion": "204; deleting a project deletes all in it",
        "copied project": "slug <old>-copy, then -copy-2 ...; classes copied, tasks, tags and members not",
        "answer of create and update": "the id as JSON text; of the S3 storage: 'success'; of monitoring: the id of "
        "the setting; of project members: true",
        "import history": "running, then completed or failed: type s3 or local, storageType aws-s3 or zip; count is "
        "the number of tasks made; msgCode says why it failed; tasks appear when it completes",
        "S3 import": "the task is named by the whole object key; objects of other types, over the limit or unreadable "
        "are left out, existing names are not made again; the task's file is a copy",
        "S3 import status": "the latest history of the project; 404 before the first import",
        "DICOM": "one task per zip, named after the zip; width and height from the first file's Rows and Columns",
        "signed addresses": "valid for an hour, for one method, without the Authorization header (400 with it); GET "
        "takes ranges, the ETag is the file's MD5; PUT takes multipart/form-data with a part 'file', or raw bytes",
        "monitoring": "any name is accepted and becomes a setting, unless monitoring_names lists the existing ones",
        "endpoints": "those exist that endpoint_names lists or, without a list, that PUT /_emulator/endpoints gave an "
        "answer; another is 404, with --lenient any name answers; without an answer an endpoint detects nothing and "
        "returns the picture as it came",
        "merge of split images": "part n is tile n, row by row, of a 3x3 grid; tiles overlap by merge_overlap pixels "
        "(0); same-class boxes that meet at a seam become one box, polygons are joined along a common seam edge; "
        "attributes of the first part win; no part is 404",
        "merge of split videos and audios": "annotations follow one another in time; those that end with a part and go "
        "on at the start of the next become one; the length of an audio part is the end of its file (WAV) or else of "
        "its last annotation",
        "training, evaluation and auto-annotation": "jobs of invented results that complete after job_seconds; no "
        "model is trained; an evaluation takes instanceType, batchSize and learningRate, which the SDK never sends",
        "dataset versions": "only the latest exists; another version or revision id is 404; objects are of type none; "
        "their annotations need no classes, the value stands for the title",
        "tags of many tasks": "POST tasks/tags/add and remove, seen in a newer client than the reference describes",
        "multi-modal tasks": "no call creates them; POST /_emulator/tasks does",
        "ids": "UUIDs counted up from the same start after every reset",
    }
)
"""Question to choice."""
