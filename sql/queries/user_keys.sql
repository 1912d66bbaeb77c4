-- user_key
-- Return a user's data key, and whether its last use was noted long ago.
SELECT user_id, key_id, wrapped_key, used_at < now() - interval '1 hour' AS is_stale
FROM upload_pipeline.user_keys
WHERE user_id = %(user_id)s;

-- note_key_use
-- Note that something is being stored with a key, so that it is not destroyed meanwhile; return whether it still exists.
UPDATE upload_pipeline.user_keys SET used_at = now()
WHERE user_id = %(user_id)s AND key_id = %(key_id)s
RETURNING key_id;

-- keep_user_key
-- Keep a user's first data key, unless another process was first.
INSERT INTO upload_pipeline.user_keys (user_id, key_id, wrapped_key)
VALUES (%(user_id)s, %(key_id)s, %(wrapped_key)s)
ON CONFLICT (user_id) DO NOTHING;

-- some_user_key
-- Return any data key, by which a master key is tried out.
SELECT user_id, key_id, wrapped_key FROM upload_pipeline.user_keys ORDER BY user_id LIMIT 1;

-- user_keys_after
-- Return the next data keys, in the order of their users.
SELECT user_id, key_id, wrapped_key
FROM upload_pipeline.user_keys
WHERE user_id > %(after_user)s
ORDER BY user_id
LIMIT %(limit)s;

-- wrap_user_key
-- Replace how a data key is wrapped, if it still exists.
UPDATE upload_pipeline.user_keys SET wrapped_key = %(wrapped_key)s WHERE user_id = %(user_id)s AND key_id = %(key_id)s;

-- destroy_user_keys
-- Destroy the data keys of users without documents. Whoever stores something notes the use of the key first, so that none
-- goes whose document is about to be written down.
DELETE FROM upload_pipeline.user_keys AS key
WHERE used_at < now() - %(age)s
    AND NOT EXISTS (SELECT FROM upload_pipeline.documents WHERE user_id = key.user_id)
RETURNING key_id;
