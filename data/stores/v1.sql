-- Rows of a store of schema version 1, for tests: what `countersign demo` stored (all five formats), and copies of such rows so
-- that every state and reason occurs. There are also bodies that are not text, emptied and recovered rows, one that is
-- not parsed yet, removed rows that still count, vanished orders, and what the store keeps for itself. No account here is
-- real. From the first release on this file does not change.
BEGIN;

INSERT INTO sources (name, provider, first_served_at, found_any_at, last_parsed_at) VALUES
  ('branch', 'ecwid', '2026-11-22T06:09:55.105Z', '2026-11-22T06:09:56.415Z', '2026-11-22T06:09:56.176Z'),
  ('game', 'midas', '2026-11-22T06:09:55.105Z', '2026-11-22T06:09:56.168Z', '2026-11-22T06:09:56.161Z'),
  ('keys', 'kinguin', '2026-11-22T06:09:55.105Z', '2026-11-22T06:09:56.056Z', '2026-11-22T06:09:56.067Z'),
  ('oldkeys', 'kinguin-postback', '2026-11-22T06:09:55.105Z', '2026-11-22T06:09:56.038Z', '2026-11-22T06:09:56.038Z'),
  ('oldshop', 'ecwid-ion', '2026-11-22T06:09:55.105Z', '2026-11-22T06:09:55.692Z', '2026-11-22T06:09:55.785Z'),
  ('shop', 'ecwid', '2026-11-22T06:09:55.105Z', '2026-11-22T06:09:56.014Z', '2026-11-22T06:09:56.171Z');

INSERT INTO intake (id, source, provider, received_at, remote_addr, content_type, headers, body, origin) VALUES
  (1, 'oldshop', 'ecwid-ion', '2026-11-22T06:09:55.312Z', '127.0.0.1', 'application/x-www-form-urlencoded', '{"connection":"close","content-length":"190","content-type":"application/x-www-form-urlencoded","host":"127.0.0.1:40601"}', 'owner_id=4400551&event_type=order_status_change&date=2014-11-02+09%3A41%3A00&order_id=1207&payment_status=ACCEPTED&fulfillment_status=NEW&old_payment_status=QUEUED&old_fulfillment_status=NEW', 'intake'),
  (10, 'shop', 'ecwid', '2026-11-22T06:09:56.009Z', '127.0.0.1', 'application/json; charset=UTF-8', '{"connection":"close","content-length":"343","content-type":"application/json; charset=UTF-8","host":"127.0.0.1:40601","x-ecwid-webhook-signature":"fFO504mAvDZelJY/viFsRSobEy+xI562k+mP5hFVQ5o="}', '{"eventId":"11111111-2222-4333-8444-555555555555","eventCreated":1764000000,"storeId":4400551,
 "entityId":731200456,"eventType":"order.updated",
 "data":{"orderId":"SALE-H4K9P","oldPaymentStatus":"AWAITING_PAYMENT","newPaymentStatus":"PAID",
         "oldFulfillmentStatus":"AWAITING_PROCESSING","newFulfillmentStatus":"AWAITING_PROCESSING"}}', 'intake'),
  (1001, 'shop', 'ecwid', '2026-11-21T01:15:01.250Z', '203.0.113.1', 'application/json; charset=UTF-8', '{"connection":"close","content-length":"343","content-type":"application/json; charset=UTF-8","host":"127.0.0.1:40601","x-ecwid-webhook-signature":"fFO504mAvDZelJY/viFsRSobEy+xI562k+mP5hFVQ5o="}', '{"eventId":"11111111-2222-4333-8444-555555555555","eventCreated":1764000000,"storeId":4400551,
 "entityId":731200456,"eventType":"order.updated",
 "data":{"orderId":"SALE-H4K9P","oldPaymentStatus":"AWAITING_PAYMENT","newPaymentStatus":"PAID",
         "oldFulfillmentStatus":"AWAITING_PROCESSING","newFulfillmentStatus":"AWAITING_PROCESSING"}}', 'intake'),
  (1002, 'oldkeys', 'kinguin-postback', '2026-11-22T02:15:02.250Z', '203.0.113.2', 'aplication/json', '{"connection":"close","content-length":"98","content-type":"aplication/json","host":"127.0.0.1:40601"}', '{"orderId":"QZ7T2RMN4WB","orderExternalId":"shop-000451","updatedAt":"2025-03-04T10:15:09+00:00"}
', 'intake'),
  (1003, 'oldkeys', 'kinguin-postback', '2026-11-20T03:15:03.250Z', '203.0.113.3', 'aplication/json', '{"connection":"close","content-length":"99","content-type":"aplication/json","host":"127.0.0.1:40601"}', X'00FF7B2261223A317D', 'intake'),
  (1004, 'keys', 'kinguin', '2026-11-21T04:15:04.250Z', NULL, NULL, NULL, NULL, 'intake'),
  (1005, 'keys', 'kinguin', '2026-11-22T05:15:05.250Z', '203.0.113.5', 'application/json', '{"connection":"close","content-length":"124","content-type":"application/json","host":"127.0.0.1:40601","x-event-name":"order.status","x-event-secret":"[redacted]"}', 'naïve ✓ text', 'intake'),
  (1006, 'game', 'midas', '2026-11-20T06:15:06.250Z', '203.0.113.6', 'application/json; charset=UTF-8', '{"connection":"close","content-length":"418","content-type":"application/json; charset=UTF-8","host":"127.0.0.1:40601","txgw-nonce":"n0nce000000000000000000000000001","txgw-serial":"0C2D","txgw-signature":"AUkY0fHmfqfzmj8P8qzw3SniITPLfGgqw6AUe7obJwiiLWbJf0uloILMF77d+DZt3ztFtbAOtlCRa4LwCL2Bk4I6sBqB+aJ6S0aoBiVwwq2u262hBKHND+Txi7KEW/JyBfAKCyGYiR0Nb9zgKsARkN1inr3SFx4M4hjGQVn4grDfeliFu45TajuBZnV0KK3FZltTaZ1qKvS/Ey3hs9/dFVC82NkB1LmrVYmlbTLHydtsvfM91lPG/nfy06FcloYZBiAWxgwRNVa0hUb14yO5ZKUTCpcnvRCN6ofjiYH3ZJdmf1LqY9F8RCSiR2Wn/C9Rs/alOecmqXdhVR1kKj7mgg==","txgw-timestamp":"1795327796"}', '{"notification_type":"OrderPaid",
 "order":{"id":"MO-6660","currency":"EUR","amount":"99.00","status":"Paid","invoice_id":"INV-66"},
 "user":{"external_id":"player-13"},
 "billing":{
   "settings":{"merchant_id":"m-1001","project_id":"pr-77"},
   "transaction":{"id":"TX-666","external_id":"shop-order-666","payment_date":"2025-01-02T03:04:05Z"},
   "payment_details":{"payment":{"amount":"99.00","currency":"EUR"}}}}
', 'intake'),
  (1007, 'oldshop', 'ecwid-ion', '2026-11-21T07:15:00.250Z', '203.0.113.7', 'application/x-www-form-urlencoded', '{"connection":"close","content-length":"190","content-type":"application/x-www-form-urlencoded","host":"127.0.0.1:40601"}', 'owner_id=4400551&event_type=order_status_change&date=2014-11-02+09%3A41%3A00&order_id=1207&payment_status=ACCEPTED&fulfillment_status=NEW&old_payment_status=QUEUED&old_fulfillment_status=NEW', 'intake'),
  (1008, 'shop', 'ecwid', '2026-11-22T08:15:01.250Z', '203.0.113.8', 'application/json; charset=UTF-8', '{"connection":"close","content-length":"343","content-type":"application/json; charset=UTF-8","host":"127.0.0.1:40601","x-ecwid-webhook-signature":"fFO504mAvDZelJY/viFsRSobEy+xI562k+mP5hFVQ5o="}', '{"eventId":"11111111-2222-4333-8444-555555555555","eventCreated":1764000000,"storeId":4400551,
 "entityId":731200456,"eventType":"order.updated",
 "data":{"orderId":"SALE-H4K9P","oldPaymentStatus":"AWAITING_PAYMENT","newPaymentStatus":"PAID",
         "oldFulfillmentStatus":"AWAITING_PROCESSING","newFulfillmentStatus":"AWAITING_PROCESSING"}}', 'intake'),
  (1009, 'oldkeys', 'kinguin-postback', '2026-11-20T00:15:02.250Z', '203.0.113.9', 'aplication/json', '{"connection":"close","content-length":"98","content-type":"aplication/json","host":"127.0.0.1:40601"}', '{"orderId":"QZ7T2RMN4WB","orderExternalId":"shop-000451","updatedAt":"2025-03-04T10:15:09+00:00"}
', 'intake'),
  (1010, 'keys', 'kinguin', '2026-11-21T01:15:03.250Z', '203.0.113.10', 'application/json', '{"connection":"close","content-length":"123","content-type":"application/json","host":"127.0.0.1:40601","x-event-name":"order.status","x-event-secret":"[redacted]"}', '{"orderId":"QZ7T2RMN4WB","orderExternalId":"shop-000451","status":"completed","updatedAt":"2025-03-04T10:15:09.120+00:00"}
', 'intake'),
  (1011, 'keys', 'kinguin', '2026-11-22T02:15:04.250Z', '203.0.113.11', 'aplication/json', '{"connection":"close","content-length":"174","content-type":"aplication/json","host":"127.0.0.1:40601","x-event-name":"product.update","x-event-secret":"[redacted]"}', '{"kinguinId":70123,"productId":"5f00aa11bb22cc33dd44ee55","qty":31,"textQty":31,
 "cheapestOfferId":["60aa11bb22cc33dd44ee55ff"],"updatedAt":"2025-03-04T10:15:09.120+00:00"}
', 'intake'),
  (1012, 'game', 'midas', '2026-11-20T03:15:05.250Z', '203.0.113.12', 'application/json; charset=UTF-8', '{"connection":"close","content-length":"843","content-type":"application/json; charset=UTF-8","host":"127.0.0.1:40601","txgw-nonce":"n0nce000000000000000000000000000","txgw-serial":"0C2D","txgw-signature":"h2HONV+koup3395FNRNGHN1K4VewR1DKbJQjvrUpVKBd8FJ9uZBR9sjTzrn/IhjP4A2IrYamc2YjCQn7spPVxVLDVuE3JLzjiwZ2Z988KVm7ki1YmI8RFmgymWZbMttT3ljm5IONQ9X/62oWkJTr11eBpWbfWAYe06pf6Jhjwl93EXLDFGozOwbdrfj4ypveZ3c8xtssTaJdNBoMs7wczHK4wB3xoJwpdXEk/UaoEGbIqrj0zGYk3X2haxEUrolwL3qLdbytl2RRkgRX9FQlxINP4WgsDL2Pd6g9VgaxbIsj6Do6JKIou4X4oZqMgqMQWwUppjmMTBWUuqC+k4lWMQ==","txgw-timestamp":"1795327796"}', '{"notification_type":"OrderPaid",
 "items":[{"sku":"gem_pack_60","quantity":2,"amount":"4.99"}],
 "order":{"id":"MO-7001","currency":"EUR","amount":"9.98","status":"Paid","invoice_id":"INV-88"},
 "user":{"external_id":"player-42","email":"p42@example.test"},
 "billing":{
   "settings":{"merchant_id":"m-1001","project_id":"pr-77"},
   "purchase":{"total":{"currency":"EUR","amount":"9.98"}},
   "transaction":{"id":"TX-555","external_id":"shop-order-9","payment_date":"2026-01-02T03:04:05Z",
     "payment_method":"pm-3","payment_method_name":"Card","payment_method_order_id":"ch_1"},
   "payment_details":{"payment":{"amount":"8.98","currency":"EUR","net_amount":"7.48","vat_amount":"1.50",
     "discount":{"discount_id":"d1","discount_code":"NEW","discount_amount":"1.00","discount_rate":"0.1"}}}},
 "custom_parameters":{"region":"eu-1"}}
', 'intake'),
  (1013, 'shop', 'ecwid', '2026-11-21T04:15:06.250Z', '203.0.113.13', 'application/json; charset=UTF-8', '{"connection":"close","content-length":"263","content-type":"application/json; charset=UTF-8","host":"127.0.0.1:40601","x-ecwid-webhook-signature":"/tAV/w5QzgX3Ys/HG7PGIr3MnXWPR2MmyA/s4ZxFzXI="}', '{"eventId":"11111111-2222-4333-8444-555555555560","eventCreated":1764000060,"storeId":4400551,
 "entityId":731200460,"eventType":"order.created",
 "data":{"orderId":"SALE-N3W1X","newPaymentStatus":"AWAITING_PAYMENT","newFulfillmentStatus":"AWAITING_PROCESSING"}}
', 'intake'),
  (1014, 'oldshop', 'ecwid-ion', '2026-11-22T05:15:00.250Z', '203.0.113.14', 'application/x-www-form-urlencoded', '{"connection":"close","content-length":"190","content-type":"application/x-www-form-urlencoded","host":"127.0.0.1:40601"}', 'owner_id=4400551&event_type=order_status_change&date=2014-11-02+09%3A41%3A00&order_id=1207&payment_status=ACCEPTED&fulfillment_status=NEW&old_payment_status=QUEUED&old_fulfillment_status=NEW', 'intake'),
  (1015, 'shop', 'ecwid', '2026-11-20T06:15:01.250Z', '203.0.113.15', 'application/json; charset=UTF-8', '{"connection":"close","content-length":"343","content-type":"application/json; charset=UTF-8","host":"127.0.0.1:40601","x-ecwid-webhook-signature":"fFO504mAvDZelJY/viFsRSobEy+xI562k+mP5hFVQ5o="}', '{"eventId":"11111111-2222-4333-8444-555555555555","eventCreated":1764000000,"storeId":4400551,
 "entityId":731200456,"eventType":"order.updated",
 "data":{"orderId":"SALE-H4K9P","oldPaymentStatus":"AWAITING_PAYMENT","newPaymentStatus":"PAID",
         "oldFulfillmentStatus":"AWAITING_PROCESSING","newFulfillmentStatus":"AWAITING_PROCESSING"}}', 'intake'),
  (1016, 'oldkeys', 'kinguin-postback', '2026-11-21T07:15:02.250Z', '203.0.113.16', 'aplication/json', '{"connection":"close","content-length":"98","content-type":"aplication/json","host":"127.0.0.1:40601"}', '{"orderId":"QZ7T2RMN4WB","orderExternalId":"shop-000451","updatedAt":"2025-03-04T10:15:09+00:00"}
', 'intake'),
  (1017, 'keys', 'kinguin', '2026-11-22T08:15:03.250Z', '203.0.113.17', 'application/json', '{"connection":"close","content-length":"123","content-type":"application/json","host":"127.0.0.1:40601","x-event-name":"order.status","x-event-secret":"[redacted]"}', '{"orderId":"QZ7T2RMN4WB","orderExternalId":"shop-000451","status":"completed","updatedAt":"2025-03-04T10:15:09.120+00:00"}
', 'intake'),
  (11, 'shop', 'ecwid', '2026-11-22T06:09:56.011Z', '127.0.0.1', 'application/json; charset=UTF-8', '{"connection":"close","content-length":"341","content-type":"application/json; charset=UTF-8","host":"127.0.0.1:40601","x-ecwid-webhook-signature":"fFO504mAvDZelJY/viFsRSobEy+xI562k+mP5hFVQ5o="}', '{"eventId":"11111111-2222-4333-8444-555555555555","eventCreated":1764000000,"storeId":1003,
 "entityId":731200456,"eventType":"order.updated",
 "data":{"orderId":"SALE-H4K9P","oldPaymentStatus":"AWAITING_PAYMENT","newPaymentStatus":"PAID",
         "oldFulfillmentStatus":"AWAITING_PROCESSING","newFulfillmentStatus":"AWAITING_PROCESSING"}}
', 'intake'),
  (1100, 'shop', 'ecwid', '2026-11-22T05:20:00.000Z', NULL, NULL, NULL, NULL, 'reconcile'),
  (1101, 'shop', 'ecwid', '2026-11-22T05:21:00.000Z', '198.51.100.9', 'application/json; charset=UTF-8', '{"connection":"close","content-length":"343","content-type":"application/json; charset=UTF-8","host":"127.0.0.1:40601","x-ecwid-webhook-signature":"fFO504mAvDZelJY/viFsRSobEy+xI562k+mP5hFVQ5o="}', '{"eventId":"11111111-2222-4333-8444-555555555555","eventCreated":1764000000,"storeId":4400551,
 "entityId":731200456,"eventType":"order.updated",
 "data":{"orderId":"SALE-H4K9P","oldPaymentStatus":"AWAITING_PAYMENT","newPaymentStatus":"PAID",
         "oldFulfillmentStatus":"AWAITING_PROCESSING","newFulfillmentStatus":"AWAITING_PROCESSING"}}', 'intake'),
  (13, 'oldkeys', 'kinguin-postback', '2026-11-22T06:09:56.022Z', '127.0.0.1', 'aplication/json', '{"connection":"close","content-length":"98","content-type":"aplication/json","host":"127.0.0.1:40601"}', '{"orderId":"QZ7T2RMN4WB","orderExternalId":"shop-000451","updatedAt":"2025-03-04T10:15:09+00:00"}
', 'intake'),
  (14, 'oldkeys', 'kinguin-postback', '2026-11-22T06:09:56.025Z', '127.0.0.1', 'aplication/json', '{"connection":"close","content-length":"98","content-type":"aplication/json","host":"127.0.0.1:40601"}', '{"orderId":"FAKE0RDER01","orderExternalId":"shop-000666","updatedAt":"2025-03-04T10:15:09+00:00"}
', 'intake'),
  (15, 'oldkeys', 'kinguin-postback', '2026-11-22T06:09:56.029Z', '127.0.0.1', 'aplication/json', '{"connection":"close","content-length":"98","content-type":"aplication/json","host":"127.0.0.1:40601"}', '{"orderId":"K5REFUND3D9","orderExternalId":"shop-000398","updatedAt":"2025-03-04T10:15:09+00:00"}
', 'intake'),
  (16, 'oldkeys', 'kinguin-postback', '2026-11-22T06:09:56.032Z', '127.0.0.1', 'aplication/json', '{"connection":"close","content-length":"98","content-type":"aplication/json","host":"127.0.0.1:40601"}', '{"orderId":"QZ7T2RMN4WB","orderExternalId":"shop-000451","updatedAt":"2025-03-04T10:15:09+00:00"}
', 'intake'),
  (17, 'oldkeys', 'kinguin-postback', '2026-11-22T06:09:56.033Z', '127.0.0.1', 'aplication/json', '{"connection":"close","content-length":"99","content-type":"aplication/json","host":"127.0.0.1:40601"}', '{"orderId":"X9OTHERST0R","orderExternalId":"other-000017","updatedAt":"2025-03-04T10:15:09+00:00"}
', 'intake'),
  (18, 'oldkeys', 'kinguin-postback', '2026-11-22T06:09:56.038Z', '127.0.0.1', 'aplication/json', '{"connection":"close","content-length":"54","content-type":"aplication/json","host":"127.0.0.1:40601"}', '{"orderId":"QZ7T2RMN4WB","orderExternalId":"shop-0004
', 'intake'),
  (19, 'keys', 'kinguin', '2026-11-22T06:09:56.044Z', '127.0.0.1', 'application/json', '{"connection":"close","content-length":"123","content-type":"application/json","host":"127.0.0.1:40601","x-event-name":"order.status","x-event-secret":"[redacted]"}', '{"orderId":"QZ7T2RMN4WB","orderExternalId":"shop-000451","status":"completed","updatedAt":"2025-03-04T10:15:09.120+00:00"}
', 'intake'),
  (2, 'oldshop', 'ecwid-ion', '2026-11-22T06:09:55.321Z', '127.0.0.1', 'application/x-www-form-urlencoded', '{"connection":"close","content-length":"127","content-type":"application/x-www-form-urlencoded","host":"127.0.0.1:40601"}', 'owner_id=4400551&event_type=new_order&date=2014-11-02+10%3A15%3A00&order_id=1666&payment_status=ACCEPTED&fulfillment_status=NEW', 'intake'),
  (20, 'keys', 'kinguin', '2026-11-22T06:09:56.047Z', '127.0.0.1', 'aplication/json', '{"connection":"close","content-length":"174","content-type":"aplication/json","host":"127.0.0.1:40601","x-event-name":"product.update","x-event-secret":"[redacted]"}', '{"kinguinId":70123,"productId":"5f00aa11bb22cc33dd44ee55","qty":31,"textQty":31,
 "cheapestOfferId":["60aa11bb22cc33dd44ee55ff"],"updatedAt":"2025-03-04T10:15:09.120+00:00"}
', 'intake'),
  (21, 'keys', 'kinguin', '2026-11-22T06:09:56.050Z', '127.0.0.1', 'application/json', '{"connection":"close","content-length":"123","content-type":"application/json","host":"127.0.0.1:40601","x-event-name":"order.status","x-event-secret":"[redacted]"}', '{"orderId":"FAKE0RDER01","orderExternalId":"shop-000666","status":"completed","updatedAt":"2025-03-04T10:15:09.120+00:00"}
', 'intake'),
  (22, 'keys', 'kinguin', '2026-11-22T06:09:56.054Z', '127.0.0.1', 'application/json', '{"connection":"close","content-length":"122","content-type":"application/json","host":"127.0.0.1:40601","x-event-name":"order.status","x-event-secret":"[redacted]"}', '{"orderId":"QZ7T2RMN4WB","orderExternalId":"shop-000451","status":"refunded","updatedAt":"2025-03-04T10:15:09.120+00:00"}
', 'intake'),
  (23, 'keys', 'kinguin', '2026-11-22T06:09:56.059Z', '127.0.0.1', 'application/json', '{"connection":"close","content-length":"123","content-type":"application/json","host":"127.0.0.1:40601","x-event-name":"order.status","x-event-secret":"[redacted]"}', '{"orderId":"QZ7T2RMN4WB","orderExternalId":"shop-000451","status":"completed","updatedAt":"2025-03-04T10:15:09.120+00:00"}
', 'intake'),
  (24, 'keys', 'kinguin', '2026-11-22T06:09:56.062Z', '127.0.0.1', 'application/json', '{"connection":"close","content-length":"124","content-type":"application/json","host":"127.0.0.1:40601","x-event-name":"order.status","x-event-secret":"[redacted]"}', '{"orderId":"X9OTHERST0R","orderExternalId":"other-000017","status":"completed","updatedAt":"2025-03-04T10:15:09.120+00:00"}
', 'intake'),
  (25, 'keys', 'kinguin', '2026-11-22T06:09:56.067Z', '127.0.0.1', 'application/json', '{"connection":"close","content-length":"123","content-type":"application/json","host":"127.0.0.1:40601","x-event-secret":"[redacted]"}', '{"orderId":"QZ7T2RMN4WB","orderExternalId":"shop-000451","status":"completed","updatedAt":"2025-03-04T10:15:09.120+00:00"}
', 'intake'),
  (26, 'game', 'midas', '2026-11-22T06:09:56.076Z', '127.0.0.1', 'application/json; charset=UTF-8', '{"connection":"close","content-length":"843","content-type":"application/json; charset=UTF-8","host":"127.0.0.1:40601","txgw-nonce":"n0nce000000000000000000000000000","txgw-serial":"0C2D","txgw-signature":"h2HONV+koup3395FNRNGHN1K4VewR1DKbJQjvrUpVKBd8FJ9uZBR9sjTzrn/IhjP4A2IrYamc2YjCQn7spPVxVLDVuE3JLzjiwZ2Z988KVm7ki1YmI8RFmgymWZbMttT3ljm5IONQ9X/62oWkJTr11eBpWbfWAYe06pf6Jhjwl93EXLDFGozOwbdrfj4ypveZ3c8xtssTaJdNBoMs7wczHK4wB3xoJwpdXEk/UaoEGbIqrj0zGYk3X2haxEUrolwL3qLdbytl2RRkgRX9FQlxINP4WgsDL2Pd6g9VgaxbIsj6Do6JKIou4X4oZqMgqMQWwUppjmMTBWUuqC+k4lWMQ==","txgw-timestamp":"1795327796"}', '{"notification_type":"OrderPaid",
 "items":[{"sku":"gem_pack_60","quantity":2,"amount":"4.99"}],
 "order":{"id":"MO-7001","currency":"EUR","amount":"9.98","status":"Paid","invoice_id":"INV-88"},
 "user":{"external_id":"player-42","email":"p42@example.test"},
 "billing":{
   "settings":{"merchant_id":"m-1001","project_id":"pr-77"},
   "purchase":{"total":{"currency":"EUR","amount":"9.98"}},
   "transaction":{"id":"TX-555","external_id":"shop-order-9","payment_date":"2026-01-02T03:04:05Z",
     "payment_method":"pm-3","payment_method_name":"Card","payment_method_order_id":"ch_1"},
   "payment_details":{"payment":{"amount":"8.98","currency":"EUR","net_amount":"7.48","vat_amount":"1.50",
     "discount":{"discount_id":"d1","discount_code":"NEW","discount_amount":"1.00","discount_rate":"0.1"}}}},
 "custom_parameters":{"region":"eu-1"}}
', 'intake'),
  (27, 'game', 'midas', '2026-11-22T06:09:56.093Z', '127.0.0.1', 'application/json; charset=UTF-8', '{"connection":"close","content-length":"418","content-type":"application/json; charset=UTF-8","host":"127.0.0.1:40601","txgw-nonce":"n0nce000000000000000000000000001","txgw-serial":"0C2D","txgw-signature":"AUkY0fHmfqfzmj8P8qzw3SniITPLfGgqw6AUe7obJwiiLWbJf0uloILMF77d+DZt3ztFtbAOtlCRa4LwCL2Bk4I6sBqB+aJ6S0aoBiVwwq2u262hBKHND+Txi7KEW/JyBfAKCyGYiR0Nb9zgKsARkN1inr3SFx4M4hjGQVn4grDfeliFu45TajuBZnV0KK3FZltTaZ1qKvS/Ey3hs9/dFVC82NkB1LmrVYmlbTLHydtsvfM91lPG/nfy06FcloYZBiAWxgwRNVa0hUb14yO5ZKUTCpcnvRCN6ofjiYH3ZJdmf1LqY9F8RCSiR2Wn/C9Rs/alOecmqXdhVR1kKj7mgg==","txgw-timestamp":"1795327796"}', '{"notification_type":"OrderPaid",
 "order":{"id":"MO-6660","currency":"EUR","amount":"99.00","status":"Paid","invoice_id":"INV-66"},
 "user":{"external_id":"player-13"},
 "billing":{
   "settings":{"merchant_id":"m-1001","project_id":"pr-77"},
   "transaction":{"id":"TX-666","external_id":"shop-order-666","payment_date":"2025-01-02T03:04:05Z"},
   "payment_details":{"payment":{"amount":"99.00","currency":"EUR"}}}}
', 'intake'),
  (28, 'game', 'midas', '2026-11-22T06:09:56.148Z', '127.0.0.1', 'application/json; charset=UTF-8', '{"connection":"close","content-length":"424","content-type":"application/json; charset=UTF-8","host":"127.0.0.1:40601","txgw-nonce":"n0nce000000000000000000000000002","txgw-serial":"0C2D","txgw-signature":"X1AWs6IEC2/4XlbF0wQ5siOSokkcCncAij8tMQUo9MH5uY9IlQ8wdD/aQZwrzmLEIuJvIVP+OKwhDmGW6nPdoF9iP+SlBRd4G+gL22JC6lW6aoA+hsCSm0ZOoEGA4aHeKsWW/IrQD8Rb46YcifoGQKvDsYhDT3D1O40FbLmhhwj3N+ZlF5Kpv4lmCBAch5GbCCNzZV5l5unfN/aJDgVVjP3WJ/1w87OtbQEtrihQxFCP/PXXEE9I3uVaWrUb4l2x17I1/A0GGxwq7bwkkBczlf3RvIkHyepQEcd1V1MZm6PKJyEeo/Aw73P80XQ0nNzmvdq0SWJtNhgc2t/g4aMTrQ==","txgw-timestamp":"1795327796"}', '{"notification_type":"OrderCancelled",
 "order":{"id":"MO-7001","currency":"EUR","amount":"9.98","status":"Cancelled","invoice_id":"INV-88"},
 "user":{"external_id":"player-42"},
 "billing":{
   "settings":{"merchant_id":"m-1001","project_id":"pr-77"},
   "transaction":{"id":"TX-555","external_id":"shop-order-9","payment_date":"2026-01-02T03:04:05Z"},
   "payment_details":{"payment":{"amount":"8.98","currency":"EUR"}}}}
', 'intake'),
  (29, 'game', 'midas', '2026-11-22T06:09:56.151Z', '127.0.0.1', 'application/json; charset=UTF-8', '{"connection":"close","content-length":"843","content-type":"application/json; charset=UTF-8","host":"127.0.0.1:40601","txgw-nonce":"n0nce000000000000000000000000003","txgw-serial":"0C2D","txgw-signature":"MkE8xI1GCkzT7GccFnoPJr2QqZw4fzQibj+nWgRwAWMxq/0fuyUTCcle/yrLQDzuhULPBq7PVBbmEC/IfpLCkLGuK1HZI02Vpa77ZUv8PxBz70tbrDez3WpfDAyAsf9PDFi/I3EaDlAweEXlwKQtnFzK54J2djPGgrUV1zJM39WZ2XR0gLr5iPtV9yw8EHMrzicFLZK5ziogxq4LfqUetirFK4ln31cDRowb/QCdkaUBvHWG2lHWyhRWE8BDIgj3VWfMwHDTX7L5r73ML/ZA5lxjKG+2yltNoYn9/93NAkC5Z62DOwghuVqISk6Gqxe/2hVf0YiiWFeiOF0nBqm+Yw==","txgw-timestamp":"1795327796"}', '{"notification_type":"OrderPaid",
 "items":[{"sku":"gem_pack_60","quantity":2,"amount":"4.99"}],
 "order":{"id":"MO-7001","currency":"EUR","amount":"9.98","status":"Paid","invoice_id":"INV-88"},
 "user":{"external_id":"player-42","email":"p42@example.test"},
 "billing":{
   "settings":{"merchant_id":"m-1001","project_id":"pr-77"},
   "purchase":{"total":{"currency":"EUR","amount":"9.98"}},
   "transaction":{"id":"TX-555","external_id":"shop-order-9","payment_date":"2026-01-02T03:04:05Z",
     "payment_method":"pm-3","payment_method_name":"Card","payment_method_order_id":"ch_1"},
   "payment_details":{"payment":{"amount":"8.98","currency":"EUR","net_amount":"7.48","vat_amount":"1.50",
     "discount":{"discount_id":"d1","discount_code":"NEW","discount_amount":"1.00","discount_rate":"0.1"}}}},
 "custom_parameters":{"region":"eu-1"}}
', 'intake'),
  (3, 'oldshop', 'ecwid-ion', '2026-11-22T06:09:55.332Z', '127.0.0.1', 'application/x-www-form-urlencoded', '{"connection":"close","content-length":"192","content-type":"application/x-www-form-urlencoded","host":"127.0.0.1:40601"}', 'owner_id=4400551&event_type=order_status_change&date=2014-11-02+10%3A16%3A00&order_id=1207&payment_status=REFUNDED&fulfillment_status=NEW&old_payment_status=ACCEPTED&old_fulfillment_status=NEW', 'intake'),
  (30, 'game', 'midas', '2026-11-22T06:09:56.158Z', '127.0.0.1', 'application/json; charset=UTF-8', '{"connection":"close","content-length":"414","content-type":"application/json; charset=UTF-8","host":"127.0.0.1:40601","txgw-nonce":"n0nce000000000000000000000000004","txgw-serial":"0C2D","txgw-signature":"hm/dz8ThwqLrAdfhLmmiIdUu2INsK08q2JzsTNNDau9m0DQPJteWf87DYV1CJ1TsZQ42lNNScZFUtOjOJfyFEUhiuhjhi/cg/CUxGI3JSTwmjuu8qVVAbEocDwyi0B6taqwcEwIwr3s+zDMRaUjHRuQYzp3gclkXycievXF+MphKH/7oRsqwO2b12Bc+U90XD0parOavPxbDTnPIvDgd3o7mVq++IT+F4uIvMHK3wXHy1miM4SrVViMKsTKSQc3x4r2dDgT+iqQJ3L54dJT0g4QtYxsd3+ZwvfLvGE6aIbzeCy42faQZQdvihWN+5qj/i0pXgXlN+UUTLIxiZKOZaQ==","txgw-timestamp":"1795327796"}', '{"notification_type":"OrderPaid",
 "order":{"id":"MO-7001","currency":"EUR","amount":"9.98","status":"Paid","invoice_id":"INV-88"},
 "user":{"external_id":"player-42"},
 "billing":{
   "settings":{"merchant_id":"m-1001","project_id":"pr-78"},
   "transaction":{"id":"TX-555","external_id":"shop-order-9","payment_date":"2025-01-02T03:04:05Z"},
   "payment_details":{"payment":{"amount":"8.98","currency":"EUR"}}}}
', 'intake'),
  (31, 'game', 'midas', '2026-11-22T06:09:56.161Z', '127.0.0.1', 'application/json; charset=UTF-8', '{"connection":"close","content-length":"419","content-type":"application/json; charset=UTF-8","host":"127.0.0.1:40601","txgw-nonce":"n0nce000000000000000000000000005","txgw-serial":"0C2D","txgw-signature":"ka3elQbdkWB2cYIaEcfJdpP4oIWCV4RTN7v+V+Xgwq418lbXugSuHcE2P1vRAWB7cIvvrEShStk0B6TWdErFqZugp+LseGhH/UcKOdtHNj/drmkjcy1nhL2oDjBIFo3NIn6zfdGG4ynA80tDgaSFX+A3eIIdskLreJL7r8OL6Ebdc4v3TSvigqPmzfjAuAIw6Fx1QolndBnX935wJ6qMMKp6BO1aXSz4md9fNFQbCaSlrvlnDnGJCxqIMVe5RSqN8cpBrgvmsXcf6WpFG9G8JPGM8XaQ1XBVsMYN3pajboqo20+ZpN9ssulgNr8Q0PwuKtw1vZvic2Zgtl9ys0LUlA==","txgw-timestamp":"1795327796"}', '{"notification_type":"OrderPaid",
 "order":{"id":"MO-7001","currency":"EUR","amount":"9.98","status":"Cancelled","invoice_id":"INV-88"},
 "user":{"external_id":"player-42"},
 "billing":{
   "settings":{"merchant_id":"m-1001","project_id":"pr-77"},
   "transaction":{"id":"TX-555","external_id":"shop-order-9","payment_date":"2025-01-02T03:04:05Z"},
   "payment_details":{"payment":{"amount":"8.98","currency":"EUR"}}}}
', 'intake'),
  (32, 'shop', 'ecwid', '2026-11-22T06:09:56.171Z', '127.0.0.1', 'application/json; charset=UTF-8', '{"connection":"close","content-length":"263","content-type":"application/json; charset=UTF-8","host":"127.0.0.1:40601","x-ecwid-webhook-signature":"/tAV/w5QzgX3Ys/HG7PGIr3MnXWPR2MmyA/s4ZxFzXI="}', '{"eventId":"11111111-2222-4333-8444-555555555560","eventCreated":1764000060,"storeId":4400551,
 "entityId":731200460,"eventType":"order.created",
 "data":{"orderId":"SALE-N3W1X","newPaymentStatus":"AWAITING_PAYMENT","newFulfillmentStatus":"AWAITING_PROCESSING"}}
', 'intake'),
  (33, 'branch', 'ecwid', '2026-11-22T06:09:56.176Z', '127.0.0.1', 'application/json; charset=UTF-8', '{"connection":"close","content-length":"345","content-type":"application/json; charset=UTF-8","host":"127.0.0.1:40601","x-ecwid-webhook-signature":"bVOZzVMlla/ZCx8a9YbLsK9l/EbDPZvgJm06EovR43U="}', '{"eventId":"11111111-2222-4333-8444-555555555570","eventCreated":1764000070,"storeId":4400552,
 "entityId":731300001,"eventType":"order.updated",
 "data":{"orderId":"BRANCH-7QK2","oldPaymentStatus":"AWAITING_PAYMENT","newPaymentStatus":"PAID",
         "oldFulfillmentStatus":"AWAITING_PROCESSING","newFulfillmentStatus":"AWAITING_PROCESSING"}}
', 'intake'),
  (4, 'oldshop', 'ecwid-ion', '2026-11-22T06:09:55.340Z', '127.0.0.1', 'application/x-www-form-urlencoded', '{"connection":"close","content-length":"190","content-type":"application/x-www-form-urlencoded","host":"127.0.0.1:40601"}', 'owner_id=4400551&event_type=order_status_change&date=2014-11-02+09%3A41%3A00&order_id=1207&payment_status=ACCEPTED&fulfillment_status=NEW&old_payment_status=QUEUED&old_fulfillment_status=NEW', 'intake'),
  (5, 'oldshop', 'ecwid-ion', '2026-11-22T06:09:55.696Z', '127.0.0.1', 'application/x-www-form-urlencoded', '{"connection":"close","content-length":"187","content-type":"application/x-www-form-urlencoded","host":"127.0.0.1:40601"}', 'owner_id=1003&event_type=order_status_change&date=2014-11-02+09%3A41%3A00&order_id=1207&payment_status=ACCEPTED&fulfillment_status=NEW&old_payment_status=QUEUED&old_fulfillment_status=NEW', 'intake'),
  (7, 'shop', 'ecwid', '2026-11-22T06:09:55.886Z', '127.0.0.1', 'application/json; charset=UTF-8', '{"connection":"close","content-length":"343","content-type":"application/json; charset=UTF-8","host":"127.0.0.1:40601","x-ecwid-webhook-signature":"fFO504mAvDZelJY/viFsRSobEy+xI562k+mP5hFVQ5o="}', '{"eventId":"11111111-2222-4333-8444-555555555555","eventCreated":1764000000,"storeId":4400551,
 "entityId":731200456,"eventType":"order.updated",
 "data":{"orderId":"SALE-H4K9P","oldPaymentStatus":"AWAITING_PAYMENT","newPaymentStatus":"PAID",
         "oldFulfillmentStatus":"AWAITING_PROCESSING","newFulfillmentStatus":"AWAITING_PROCESSING"}}', 'intake'),
  (8, 'shop', 'ecwid', '2026-11-22T06:09:55.898Z', '127.0.0.1', 'application/json; charset=UTF-8', '{"connection":"close","content-length":"344","content-type":"application/json; charset=UTF-8","host":"127.0.0.1:40601","x-ecwid-webhook-signature":"fFO504mAvDZelJY/viFsRSobEy+xI562k+mP5hFVQ5o="}', '{"eventId":"11111111-2222-4333-8444-555555555555","eventCreated":1764000000,"storeId":4400551,
 "entityId":731200666,"eventType":"order.updated",
 "data":{"orderId":"SALE-F4K3D","oldPaymentStatus":"AWAITING_PAYMENT","newPaymentStatus":"PAID",
         "oldFulfillmentStatus":"AWAITING_PROCESSING","newFulfillmentStatus":"AWAITING_PROCESSING"}}
', 'intake'),
  (9, 'shop', 'ecwid', '2026-11-22T06:09:55.901Z', '127.0.0.1', 'application/json; charset=UTF-8', '{"connection":"close","content-length":"336","content-type":"application/json; charset=UTF-8","host":"127.0.0.1:40601","x-ecwid-webhook-signature":"fFO504mAvDZelJY/viFsRSobEy+xI562k+mP5hFVQ5o="}', '{"eventId":"11111111-2222-4333-8444-555555555555","eventCreated":1764000000,"storeId":4400551,
 "entityId":731200456,"eventType":"order.updated",
 "data":{"orderId":"SALE-H4K9P","oldPaymentStatus":"PAID","newPaymentStatus":"REFUNDED",
         "oldFulfillmentStatus":"AWAITING_PROCESSING","newFulfillmentStatus":"AWAITING_PROCESSING"}}
', 'intake');

INSERT INTO verdicts (notification_id, source, received_at, day, sender, event, subject_kind, subject_id, resolved_id, claim, claim_key, event_time, event_sent, event_order, event_id, question, call_kind, listable, state, reason, detail, duplicate_of, news, attempts, probes_since, own_refusals, asked, next_attempt_at, decided_at, retried_at, emptied) VALUES
  (1, 'oldshop', '2026-11-22T06:09:55.312Z', '2026-11-22', '127.0.0.1', 'order_status_change', 'order', '1207', '1207', '{"owner_id":"4400551","order_id":"1207","payment_status":"ACCEPTED","fulfillment_status":"NEW","unverified":{"old_fulfillment_status":"NEW","event_type":"order_status_change","date":"2014-11-02 09:41:00","old_payment_status":"QUEUED"}}', 'ea5a2511cb27fcbaa43e9921e803ecffcbc9efacad0524ceaea8c171ea563d75', NULL, '2014-11-02 09:41:00', 1414921260000, NULL, 'order 1207', 'orders', 1, 'confirmed', 'match', NULL, NULL, 1, 1, '2026-11-22T06:09:55.692Z', 0, 1, NULL, '2026-11-22T06:09:55.692Z', NULL, 0),
  (10, 'shop', '2026-11-22T06:09:56.009Z', '2026-11-22', '127.0.0.1', 'order.updated', 'order', 'SALE-H4K9P', NULL, '{"storeId":"4400551","entityId":"731200456","data":{"orderId":"SALE-H4K9P","newPaymentStatus":"PAID","newFulfillmentStatus":"AWAITING_PROCESSING"},"unverified":{"eventId":"11111111-2222-4333-8444-555555555555","eventCreated":1764000000,"eventType":"order.updated","data":{"oldPaymentStatus":"AWAITING_PAYMENT","oldFulfillmentStatus":"AWAITING_PROCESSING"}}}', '307e1ed4669d500095b236598a39399ef70db4511c522c41004439197c5f41b1', '2025-11-24T16:00:00.000Z', '1764000000', 1764000000000, '11111111-2222-4333-8444-555555555555', 'orders ["SALE-H4K9P","731200456"]', 'orders', 1, 'ignored', 'duplicate', 'the same claim as notification 7', 7, 0, 0, '2026-11-22T06:09:56.009Z', 0, 0, NULL, '2026-11-22T06:09:56.018Z', NULL, 0),
  (1001, 'shop', '2026-11-21T01:15:01.250Z', '2026-11-21', '203.0.113.1', 'order.updated', 'order', 'SALE-H4K9P', 'SALE-H4K9P', '{"storeId":"4400551","entityId":"731200456","data":{"orderId":"SALE-H4K9P","newPaymentStatus":"PAID","newFulfillmentStatus":"AWAITING_PROCESSING"},"unverified":{"eventId":"11111111-2222-4333-8444-555555555555","eventCreated":1764000000,"eventType":"order.updated","data":{"oldPaymentStatus":"AWAITING_PAYMENT","oldFulfillmentStatus":"AWAITING_PROCESSING"}}}', '307e1ed4669d500095b236598a39399ef70db4511c522c41004439197c5f41b1-1', '2025-11-24T16:00:00.000Z', '1764000000', 1764000000000, '11111111-2222-4333-8444-555555555555', 'orders ["SALE-H4K9P","731200456"]', 'orders', 1, 'confirmed', 'unavailable', NULL, NULL, 1, 1, '2026-11-21T01:15:01.250Z', 1, 1, NULL, '2026-11-22T05:00:00.000Z', NULL, 0),
  (1002, 'oldkeys', '2026-11-22T02:15:02.250Z', '2026-11-22', '203.0.113.2', 'order.complete', 'order', 'QZ7T2RMN4WB', 'QZ7T2RMN4WB', '{"orderId":"QZ7T2RMN4WB","orderExternalId":"shop-000451","status":"completed","unverified":{"updatedAt":"2025-03-04T10:15:09+00:00"}}', '859f18a655d4c9247d76e2b1aebe899d3ee98e3f40aa86c17e34e54dfcd98ff8-2', '2025-03-04T10:15:09.000Z', '2025-03-04T10:15:09+00:00', 1741083309000, NULL, 'order QZ7T2RMN4WB', 'orders', 0, 'confirmed', 'deleted', NULL, NULL, 1, 2, '2026-11-22T02:15:02.250Z', 2, 1, NULL, '2026-11-22T05:00:00.000Z', NULL, 0),
  (1003, 'oldkeys', '2026-11-20T03:15:03.250Z', '2026-11-20', '203.0.113.3', 'order.complete', 'order', 'X9OTHERST0R', NULL, '{"orderId":"X9OTHERST0R","orderExternalId":"other-000017","status":"completed","unverified":{"updatedAt":"2025-03-04T10:15:09+00:00"}}', 'd1a7e61df33542d4a3cad962996a747296a53a295b9c01cbea29de99e43116c4-3', '2025-03-04T10:15:09.000Z', '2025-03-04T10:15:09+00:00', 1741083309000, NULL, 'order X9OTHERST0R', 'orders', 0, 'ignored', 'superseded', 'the API does not show it (404, kind OrderNotFound)', NULL, 0, 3, '2026-11-20T03:15:03.250Z', 0, 1, NULL, '2026-11-22T05:00:00.000Z', NULL, 0),
  (1004, 'keys', '2026-11-21T04:15:04.250Z', '2026-11-21', '', 'order.status', 'order', 'FAKE0RDER01', NULL, NULL, '085e84bf4dbd294ff7b31c637c7d1b181498fdfc16ff72422e58e801ced09a13-4', '2025-03-04T10:15:09.120Z', '2025-03-04T10:15:09.120+00:00', 1741083309120, NULL, 'order FAKE0RDER01', 'orders', 0, 'ignored', 'unavailable', 'the API does not show it (404, kind OrderNotFound)', NULL, 0, 4, '2026-11-21T04:15:04.250Z', 1, 1, NULL, '2026-11-22T05:00:00.000Z', '2026-11-22T04:00:00.000Z', 1),
  (1005, 'keys', '2026-11-22T05:15:05.250Z', '2026-11-22', '203.0.113.5', 'order.status', 'order', 'X9OTHERST0R', NULL, '{"orderId":"X9OTHERST0R","orderExternalId":"other-000017","status":"completed","unverified":{"updatedAt":"2025-03-04T10:15:09.120+00:00"}}', '72aef4a403f14013b89b150e7e71d45cd7480c4b28b79f05ca7955d668906447-5', '2025-03-04T10:15:09.120Z', '2025-03-04T10:15:09.120+00:00', 1741083309120, NULL, 'order X9OTHERST0R', 'orders', 0, 'ignored', 'unsupported', 'the API does not show it (404, kind OrderNotFound)', NULL, 0, 5, '2026-11-22T05:15:05.250Z', 2, 1, NULL, '2026-11-22T05:00:00.000Z', NULL, 0),
  (1006, 'game', '2026-11-20T06:15:06.250Z', '2026-11-20', '203.0.113.6', 'OrderPaid', 'order', 'shop-order-666', NULL, '{"notification_type":"OrderPaid","settings":{"merchant_id":"m-1001","project_id":"pr-77"},"transaction":{"external_id":"shop-order-666","id":"TX-666"},"user":{"external_id":"player-13"},"payment_details":{"payment":{"amount":"99","currency":"EUR"}},"unverified":{"order":{"id":"MO-6660","currency":"EUR","amount":"99.00","status":"Paid","invoice_id":"INV-66"},"transaction":{"payment_date":"2025-01-02T03:04:05Z"}}}', '566d1b1517abbdf1df9df26b604ec0be99d32cc3ea6c18887e77efa199b8e27d-6', '2025-01-02T03:04:05.000Z', '2025-01-02T03:04:05Z', 1735787045000, NULL, 'transaction shop-order-666', 'transactions', 0, 'ignored', 'dismissed', 'the API knows no such transaction (RESOURCE_NOT_FOUND, debug_id 247d0c)', NULL, 0, 6, '2026-11-20T06:15:06.250Z', 0, 1, NULL, '2026-11-22T05:00:00.000Z', NULL, 0),
  (1007, 'oldshop', '2026-11-21T07:15:00.250Z', '2026-11-21', '203.0.113.7', 'order_status_change', 'order', '1207', '1207', '{"owner_id":"4400551","order_id":"1207","payment_status":"ACCEPTED","fulfillment_status":"NEW","unverified":{"old_fulfillment_status":"NEW","event_type":"order_status_change","date":"2014-11-02 09:41:00","old_payment_status":"QUEUED"}}', 'ea5a2511cb27fcbaa43e9921e803ecffcbc9efacad0524ceaea8c171ea563d75-7', NULL, '2014-11-02 09:41:00', 1414921260000, NULL, 'order 1207', 'orders', 1, 'undecided', 'api_unreachable', NULL, NULL, 1, 7, '2026-11-21T07:15:00.250Z', 1, 1, NULL, '2026-11-22T05:00:00.000Z', NULL, 0),
  (1008, 'shop', '2026-11-22T08:15:01.250Z', '2026-11-22', '203.0.113.8', 'order.updated', 'order', 'SALE-H4K9P', 'SALE-H4K9P', '{"storeId":"4400551","entityId":"731200456","data":{"orderId":"SALE-H4K9P","newPaymentStatus":"PAID","newFulfillmentStatus":"AWAITING_PROCESSING"},"unverified":{"eventId":"11111111-2222-4333-8444-555555555555","eventCreated":1764000000,"eventType":"order.updated","data":{"oldPaymentStatus":"AWAITING_PAYMENT","oldFulfillmentStatus":"AWAITING_PROCESSING"}}}', '307e1ed4669d500095b236598a39399ef70db4511c522c41004439197c5f41b1-8', '2025-11-24T16:00:00.000Z', '1764000000', 1764000000000, '11111111-2222-4333-8444-555555555555', 'orders ["SALE-H4K9P","731200456"]', 'orders', 1, 'undecided', 'api_denied', NULL, NULL, 1, 8, '2026-11-22T08:15:01.250Z', 2, 1, NULL, '2026-11-22T05:00:00.000Z', '2026-11-22T04:00:00.000Z', 0),
  (1009, 'oldkeys', '2026-11-20T00:15:02.250Z', '2026-11-20', '203.0.113.9', 'order.complete', 'order', 'QZ7T2RMN4WB', 'QZ7T2RMN4WB', '{"orderId":"QZ7T2RMN4WB","orderExternalId":"shop-000451","status":"completed","unverified":{"updatedAt":"2025-03-04T10:15:09+00:00"}}', '859f18a655d4c9247d76e2b1aebe899d3ee98e3f40aa86c17e34e54dfcd98ff8-9', '2025-03-04T10:15:09.000Z', '2025-03-04T10:15:09+00:00', 1741083309000, NULL, 'order QZ7T2RMN4WB', 'orders', 0, 'undecided', 'api_rate_limited', NULL, NULL, 1, 0, '2026-11-20T00:15:02.250Z', 0, 1, NULL, '2026-11-22T05:00:00.000Z', NULL, 0),
  (1010, 'keys', '2026-11-21T01:15:03.250Z', '2026-11-21', '203.0.113.10', 'order.status', 'order', 'QZ7T2RMN4WB', 'QZ7T2RMN4WB', '{"orderId":"QZ7T2RMN4WB","orderExternalId":"shop-000451","status":"completed","unverified":{"updatedAt":"2025-03-04T10:15:09.120+00:00"}}', 'f09bc4b7c1ce555a2c091cb3b53dfe5411abbe35bad2d2921fa16efd901b0d06-10', '2025-03-04T10:15:09.120Z', '2025-03-04T10:15:09.120+00:00', 1741083309120, NULL, 'order QZ7T2RMN4WB', 'orders', 0, 'undecided', 'api_error', NULL, NULL, 1, 1, '2026-11-21T01:15:03.250Z', 1, 1, NULL, '2026-11-22T05:00:00.000Z', NULL, 0),
  (1011, 'keys', '2026-11-22T02:15:04.250Z', '2026-11-22', '203.0.113.11', 'product.update', 'product', '70123', '70123', '{"kinguinId":"70123","productId":"5f00aa11bb22cc33dd44ee55","updatedAt":"2025-03-04T10:15:09.120+00:00","unverified":{"qty":31,"textQty":31,"cheapestOfferId":["60aa11bb22cc33dd44ee55ff"]}}', 'fc7f5ff805a8a2567d714dd5886a549b9e76d60844a125f95a68e6df444506d1-11', '2025-03-04T10:15:09.120Z', '2025-03-04T10:15:09.120+00:00', 1741083309120, NULL, 'product 70123', 'products', 1, 'undecided', 'not_yet', NULL, NULL, 1, 2, '2026-11-22T02:15:04.250Z', 2, 1, NULL, '2026-11-22T05:00:00.000Z', NULL, 0),
  (1012, 'game', '2026-11-20T03:15:05.250Z', '2026-11-20', '203.0.113.12', 'OrderPaid', 'order', 'shop-order-9', 'shop-order-9', '{"notification_type":"OrderPaid","settings":{"merchant_id":"m-1001","project_id":"pr-77"},"transaction":{"external_id":"shop-order-9","id":"TX-555"},"user":{"external_id":"player-42"},"payment_details":{"payment":{"amount":"8.98","currency":"EUR"}},"unverified":{"items":[{"sku":"gem_pack_60","quantity":2,"amount":"4.99"}],"order":{"id":"MO-7001","currency":"EUR","amount":"9.98","status":"Paid","invoice_id":"INV-88"},"user":{"email":"p42@example.test"},"custom_parameters":{"region":"eu-1"},"purchase":{"total":{"currency":"EUR","amount":"9.98"}},"transaction":{"payment_date":"2026-01-02T03:04:05Z","payment_method":"pm-3","payment_method_name":"Card","payment_method_order_id":"ch_1"},"payment_details":{"payment":{"net_amount":"7.48","vat_amount":"1.50","discount":{"discount_id":"d1","discount_code":"NEW","discount_amount":"1.00","discount_rate":"0.1"}}}}}', '43bb8e165e795b864f70a17270089eddd9e77b95cec14ed3a007e11340705fb2-12', '2026-01-02T03:04:05.000Z', '2026-01-02T03:04:05Z', 1767323045000, NULL, 'transaction shop-order-9', 'transactions', 0, 'pending', NULL, NULL, NULL, 1, 3, '2026-11-20T03:15:05.250Z', 0, 0, '2026-12-01T00:00:00.000Z', NULL, '2026-11-22T04:00:00.000Z', 0),
  (1013, 'shop', '2026-11-21T04:15:06.250Z', '2026-11-21', '203.0.113.13', 'order.created', 'order', 'SALE-N3W1X', 'SALE-N3W1X', '{"storeId":"4400551","entityId":"731200460","data":{"orderId":"SALE-N3W1X","newPaymentStatus":"AWAITING_PAYMENT","newFulfillmentStatus":"AWAITING_PROCESSING"},"unverified":{"eventId":"11111111-2222-4333-8444-555555555560","eventCreated":1764000060,"eventType":"order.created"}}', '0ac9aaef0e0870909b5cad9b435d6087612de7e243d9a3cf1b52166c19e60830-13', '2025-11-24T16:01:00.000Z', '1764000060', 1764000060000, '11111111-2222-4333-8444-555555555560', 'orders ["SALE-N3W1X","731200460"]', 'orders', 1, 'pending', 'api_unreachable', NULL, NULL, 1, 4, '2026-11-21T04:15:06.250Z', 1, 1, '2026-12-01T00:00:00.000Z', NULL, NULL, 0),
  (1014, 'oldshop', '2026-11-22T05:15:00.250Z', '2026-11-22', '203.0.113.14', 'order_status_change', 'order', '1207', '1207', '{"owner_id":"4400551","order_id":"1207","payment_status":"ACCEPTED","fulfillment_status":"NEW","unverified":{"old_fulfillment_status":"NEW","event_type":"order_status_change","date":"2014-11-02 09:41:00","old_payment_status":"QUEUED"}}', 'ea5a2511cb27fcbaa43e9921e803ecffcbc9efacad0524ceaea8c171ea563d75-14', NULL, '2014-11-02 09:41:00', 1414921260000, NULL, 'order 1207', 'orders', 1, 'pending', 'api_denied', NULL, NULL, 1, 5, '2026-11-22T05:15:00.250Z', 2, 1, '2026-12-01T00:00:00.000Z', NULL, NULL, 0),
  (1015, 'shop', '2026-11-20T06:15:01.250Z', '2026-11-20', '203.0.113.15', 'order.updated', 'order', 'SALE-H4K9P', 'SALE-H4K9P', '{"storeId":"4400551","entityId":"731200456","data":{"orderId":"SALE-H4K9P","newPaymentStatus":"PAID","newFulfillmentStatus":"AWAITING_PROCESSING"},"unverified":{"eventId":"11111111-2222-4333-8444-555555555555","eventCreated":1764000000,"eventType":"order.updated","data":{"oldPaymentStatus":"AWAITING_PAYMENT","oldFulfillmentStatus":"AWAITING_PROCESSING"}}}', '307e1ed4669d500095b236598a39399ef70db4511c522c41004439197c5f41b1-15', '2025-11-24T16:00:00.000Z', '1764000000', 1764000000000, '11111111-2222-4333-8444-555555555555', 'orders ["SALE-H4K9P","731200456"]', 'orders', 1, 'pending', 'api_rate_limited', NULL, NULL, 1, 6, '2026-11-20T06:15:01.250Z', 0, 1, '2026-12-01T00:00:00.000Z', NULL, NULL, 0),
  (1016, 'oldkeys', '2026-11-21T07:15:02.250Z', '2026-11-21', '203.0.113.16', 'order.complete', 'order', 'QZ7T2RMN4WB', 'QZ7T2RMN4WB', '{"orderId":"QZ7T2RMN4WB","orderExternalId":"shop-000451","status":"completed","unverified":{"updatedAt":"2025-03-04T10:15:09+00:00"}}', '859f18a655d4c9247d76e2b1aebe899d3ee98e3f40aa86c17e34e54dfcd98ff8-16', '2025-03-04T10:15:09.000Z', '2025-03-04T10:15:09+00:00', 1741083309000, NULL, 'order QZ7T2RMN4WB', 'orders', 0, 'pending', 'api_error', NULL, NULL, 1, 7, '2026-11-21T07:15:02.250Z', 1, 1, '2026-12-01T00:00:00.000Z', NULL, '2026-11-22T04:00:00.000Z', 0),
  (1017, 'keys', '2026-11-22T08:15:03.250Z', '2026-11-22', '203.0.113.17', 'order.status', 'order', 'QZ7T2RMN4WB', 'QZ7T2RMN4WB', '{"orderId":"QZ7T2RMN4WB","orderExternalId":"shop-000451","status":"completed","unverified":{"updatedAt":"2025-03-04T10:15:09.120+00:00"}}', 'f09bc4b7c1ce555a2c091cb3b53dfe5411abbe35bad2d2921fa16efd901b0d06-17', '2025-03-04T10:15:09.120Z', '2025-03-04T10:15:09.120+00:00', 1741083309120, NULL, 'order QZ7T2RMN4WB', 'orders', 0, 'pending', 'not_yet', NULL, NULL, 1, 8, '2026-11-22T08:15:03.250Z', 2, 1, '2026-12-01T00:00:00.000Z', NULL, NULL, 0),
  (11, 'shop', '2026-11-22T06:09:56.011Z', '2026-11-22', '127.0.0.1', 'order.updated', 'order', 'SALE-H4K9P', NULL, '{"storeId":"1003","entityId":"731200456","data":{"orderId":"SALE-H4K9P","newPaymentStatus":"PAID","newFulfillmentStatus":"AWAITING_PROCESSING"},"unverified":{"eventId":"11111111-2222-4333-8444-555555555555","eventCreated":1764000000,"eventType":"order.updated","data":{"oldPaymentStatus":"AWAITING_PAYMENT","oldFulfillmentStatus":"AWAITING_PROCESSING"}}}', '3d51dab2ee16f8889ad6120afae6312ec90c5b1facd2d6e08b4f7c5b0f0eb6dd', '2025-11-24T16:00:00.000Z', '1764000000', 1764000000000, '11111111-2222-4333-8444-555555555555', 'orders ["SALE-H4K9P","731200456"]', 'orders', 0, 'ignored', 'wrong_store', 'storeId is 1003, not 4400551', NULL, 0, 0, '2026-11-22T06:09:56.011Z', 0, 0, NULL, '2026-11-22T06:09:56.018Z', NULL, 0),
  (1100, 'shop', '2026-11-22T05:20:00.000Z', '2026-11-22', '', 'reconcile', 'order', 'SALE-R1', 'SALE-R1', '{"paymentStatus":"PAID","fulfillmentStatus":"SHIPPED"}', NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, 'confirmed', 'match', NULL, NULL, 1, 1, '2026-11-22T05:20:00.000Z', 0, 1, NULL, '2026-11-22T05:20:00.000Z', NULL, 0),
  (13, 'oldkeys', '2026-11-22T06:09:56.022Z', '2026-11-22', '127.0.0.1', 'order.complete', 'order', 'QZ7T2RMN4WB', 'QZ7T2RMN4WB', '{"orderId":"QZ7T2RMN4WB","orderExternalId":"shop-000451","status":"completed","unverified":{"updatedAt":"2025-03-04T10:15:09+00:00"}}', '859f18a655d4c9247d76e2b1aebe899d3ee98e3f40aa86c17e34e54dfcd98ff8', '2025-03-04T10:15:09.000Z', '2025-03-04T10:15:09+00:00', 1741083309000, NULL, 'order QZ7T2RMN4WB', 'orders', 0, 'confirmed', 'match', NULL, NULL, 1, 1, '2026-11-22T06:09:56.038Z', 0, 1, NULL, '2026-11-22T06:09:56.038Z', NULL, 0),
  (14, 'oldkeys', '2026-11-22T06:09:56.025Z', '2026-11-22', '127.0.0.1', 'order.complete', 'order', 'FAKE0RDER01', NULL, '{"orderId":"FAKE0RDER01","orderExternalId":"shop-000666","status":"completed","unverified":{"updatedAt":"2025-03-04T10:15:09+00:00"}}', 'a9f54f7b339578f736ee7a2710b4da7d771e2efbf1544fb0d78935762ae91384', '2025-03-04T10:15:09.000Z', '2025-03-04T10:15:09+00:00', 1741083309000, NULL, 'order FAKE0RDER01', 'orders', 0, 'ignored', 'not_found', 'the API does not show it (404, kind OrderNotFound)', NULL, 0, 6, '2026-11-22T06:09:58.050Z', 0, 1, NULL, '2026-11-22T06:09:58.050Z', NULL, 0),
  (15, 'oldkeys', '2026-11-22T06:09:56.029Z', '2026-11-22', '127.0.0.1', 'order.complete', 'order', 'K5REFUND3D9', 'K5REFUND3D9', '{"orderId":"K5REFUND3D9","orderExternalId":"shop-000398","status":"completed","unverified":{"updatedAt":"2025-03-04T10:15:09+00:00"}}', '3c4082a1a4f3c9e57318ab67ebc86af1e7686525f39631cec2da7bb8cae5e498', '2025-03-04T10:15:09.000Z', '2025-03-04T10:15:09+00:00', 1741083309000, NULL, 'order K5REFUND3D9', 'orders', 0, 'ignored', 'mismatch', 'status is refunded, not completed', NULL, 0, 6, '2026-11-22T06:09:58.058Z', 0, 1, NULL, '2026-11-22T06:09:58.058Z', NULL, 0),
  (16, 'oldkeys', '2026-11-22T06:09:56.032Z', '2026-11-22', '127.0.0.1', 'order.complete', 'order', 'QZ7T2RMN4WB', NULL, '{"orderId":"QZ7T2RMN4WB","orderExternalId":"shop-000451","status":"completed","unverified":{"updatedAt":"2025-03-04T10:15:09+00:00"}}', '859f18a655d4c9247d76e2b1aebe899d3ee98e3f40aa86c17e34e54dfcd98ff8', '2025-03-04T10:15:09.000Z', '2025-03-04T10:15:09+00:00', 1741083309000, NULL, 'order QZ7T2RMN4WB', 'orders', 0, 'ignored', 'duplicate', 'the same claim as notification 13', 13, 0, 0, '2026-11-22T06:09:56.032Z', 0, 0, NULL, '2026-11-22T06:09:56.038Z', NULL, 0),
  (17, 'oldkeys', '2026-11-22T06:09:56.033Z', '2026-11-22', '127.0.0.1', 'order.complete', 'order', 'X9OTHERST0R', NULL, '{"orderId":"X9OTHERST0R","orderExternalId":"other-000017","status":"completed","unverified":{"updatedAt":"2025-03-04T10:15:09+00:00"}}', 'd1a7e61df33542d4a3cad962996a747296a53a295b9c01cbea29de99e43116c4', '2025-03-04T10:15:09.000Z', '2025-03-04T10:15:09+00:00', 1741083309000, NULL, 'order X9OTHERST0R', 'orders', 0, 'ignored', 'not_found', 'the API does not show it (404, kind OrderNotFound)', NULL, 0, 7, '2026-11-22T06:09:58.050Z', 0, 1, NULL, '2026-11-22T06:09:58.050Z', NULL, 0),
  (18, 'oldkeys', '2026-11-22T06:09:56.038Z', '2026-11-22', '127.0.0.1', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, 'ignored', 'malformed', 'the body cannot be read as JSON (line 2, column 0)', NULL, 0, 0, '2026-11-22T06:09:56.038Z', 0, 0, NULL, '2026-11-22T06:09:56.050Z', NULL, 0),
  (19, 'keys', '2026-11-22T06:09:56.044Z', '2026-11-22', '127.0.0.1', 'order.status', 'order', 'QZ7T2RMN4WB', 'QZ7T2RMN4WB', '{"orderId":"QZ7T2RMN4WB","orderExternalId":"shop-000451","status":"completed","unverified":{"updatedAt":"2025-03-04T10:15:09.120+00:00"}}', 'f09bc4b7c1ce555a2c091cb3b53dfe5411abbe35bad2d2921fa16efd901b0d06', '2025-03-04T10:15:09.120Z', '2025-03-04T10:15:09.120+00:00', 1741083309120, NULL, 'order QZ7T2RMN4WB', 'orders', 0, 'confirmed', 'match', NULL, NULL, 1, 1, '2026-11-22T06:09:56.056Z', 0, 1, NULL, '2026-11-22T06:09:56.056Z', NULL, 0),
  (2, 'oldshop', '2026-11-22T06:09:55.321Z', '2026-11-22', '127.0.0.1', 'new_order', 'order', '1666', NULL, '{"owner_id":"4400551","order_id":"1666","payment_status":"ACCEPTED","fulfillment_status":"NEW","unverified":{"date":"2014-11-02 10:15:00","event_type":"new_order"}}', '28a8b01afaaaae98b9c3a5ad1fbe04047c12da8cc2b45360ef5140e8f412e3d4', NULL, '2014-11-02 10:15:00', 1414923300000, NULL, 'order 1666', 'orders', 1, 'ignored', 'not_found', 'the shop has no order 1666', NULL, 0, 5, '2026-11-22T06:09:57.358Z', 0, 1, NULL, '2026-11-22T06:09:57.358Z', NULL, 0),
  (20, 'keys', '2026-11-22T06:09:56.047Z', '2026-11-22', '127.0.0.1', 'product.update', 'product', '70123', '70123', '{"kinguinId":"70123","productId":"5f00aa11bb22cc33dd44ee55","updatedAt":"2025-03-04T10:15:09.120+00:00","unverified":{"qty":31,"textQty":31,"cheapestOfferId":["60aa11bb22cc33dd44ee55ff"]}}', 'fc7f5ff805a8a2567d714dd5886a549b9e76d60844a125f95a68e6df444506d1', '2025-03-04T10:15:09.120Z', '2025-03-04T10:15:09.120+00:00', 1741083309120, NULL, 'product 70123', 'products', 1, 'confirmed', 'match', NULL, NULL, 1, 1, '2026-11-22T06:09:56.056Z', 0, 1, NULL, '2026-11-22T06:09:56.056Z', NULL, 0),
  (21, 'keys', '2026-11-22T06:09:56.050Z', '2026-11-22', '127.0.0.1', 'order.status', 'order', 'FAKE0RDER01', NULL, '{"orderId":"FAKE0RDER01","orderExternalId":"shop-000666","status":"completed","unverified":{"updatedAt":"2025-03-04T10:15:09.120+00:00"}}', '085e84bf4dbd294ff7b31c637c7d1b181498fdfc16ff72422e58e801ced09a13', '2025-03-04T10:15:09.120Z', '2025-03-04T10:15:09.120+00:00', 1741083309120, NULL, 'order FAKE0RDER01', 'orders', 0, 'ignored', 'not_found', 'the API does not show it (404, kind OrderNotFound)', NULL, 0, 6, '2026-11-22T06:09:58.074Z', 0, 1, NULL, '2026-11-22T06:09:58.074Z', NULL, 0),
  (22, 'keys', '2026-11-22T06:09:56.054Z', '2026-11-22', '127.0.0.1', 'order.status', 'order', 'QZ7T2RMN4WB', 'QZ7T2RMN4WB', '{"orderId":"QZ7T2RMN4WB","orderExternalId":"shop-000451","status":"refunded","unverified":{"updatedAt":"2025-03-04T10:15:09.120+00:00"}}', 'c252958fb8aefa2dbc7c0362448ac35d99ba7460f874c0b545191220189b24bd', '2025-03-04T10:15:09.120Z', '2025-03-04T10:15:09.120+00:00', 1741083309120, NULL, 'order QZ7T2RMN4WB', 'orders', 0, 'ignored', 'mismatch', 'status is completed, not refunded', NULL, 0, 6, '2026-11-22T06:09:58.074Z', 0, 1, NULL, '2026-11-22T06:09:58.074Z', NULL, 0),
  (23, 'keys', '2026-11-22T06:09:56.059Z', '2026-11-22', '127.0.0.1', 'order.status', 'order', 'QZ7T2RMN4WB', NULL, '{"orderId":"QZ7T2RMN4WB","orderExternalId":"shop-000451","status":"completed","unverified":{"updatedAt":"2025-03-04T10:15:09.120+00:00"}}', 'f09bc4b7c1ce555a2c091cb3b53dfe5411abbe35bad2d2921fa16efd901b0d06', '2025-03-04T10:15:09.120Z', '2025-03-04T10:15:09.120+00:00', 1741083309120, NULL, 'order QZ7T2RMN4WB', 'orders', 0, 'ignored', 'duplicate', 'the same claim as notification 19', 19, 0, 0, '2026-11-22T06:09:56.059Z', 0, 0, NULL, '2026-11-22T06:09:56.063Z', NULL, 0),
  (24, 'keys', '2026-11-22T06:09:56.062Z', '2026-11-22', '127.0.0.1', 'order.status', 'order', 'X9OTHERST0R', NULL, '{"orderId":"X9OTHERST0R","orderExternalId":"other-000017","status":"completed","unverified":{"updatedAt":"2025-03-04T10:15:09.120+00:00"}}', '72aef4a403f14013b89b150e7e71d45cd7480c4b28b79f05ca7955d668906447', '2025-03-04T10:15:09.120Z', '2025-03-04T10:15:09.120+00:00', 1741083309120, NULL, 'order X9OTHERST0R', 'orders', 0, 'ignored', 'not_found', 'the API does not show it (404, kind OrderNotFound)', NULL, 0, 6, '2026-11-22T06:09:58.074Z', 0, 1, NULL, '2026-11-22T06:09:58.074Z', NULL, 0),
  (25, 'keys', '2026-11-22T06:09:56.067Z', '2026-11-22', '127.0.0.1', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, 'ignored', 'malformed', 'X-Event-Name is missing', NULL, 0, 0, '2026-11-22T06:09:56.067Z', 0, 0, NULL, '2026-11-22T06:09:56.076Z', NULL, 0),
  (26, 'game', '2026-11-22T06:09:56.076Z', '2026-11-22', '127.0.0.1', 'OrderPaid', 'order', 'shop-order-9', 'shop-order-9', '{"notification_type":"OrderPaid","settings":{"merchant_id":"m-1001","project_id":"pr-77"},"transaction":{"external_id":"shop-order-9","id":"TX-555"},"user":{"external_id":"player-42"},"payment_details":{"payment":{"amount":"8.98","currency":"EUR"}},"unverified":{"items":[{"sku":"gem_pack_60","quantity":2,"amount":"4.99"}],"order":{"id":"MO-7001","currency":"EUR","amount":"9.98","status":"Paid","invoice_id":"INV-88"},"user":{"email":"p42@example.test"},"custom_parameters":{"region":"eu-1"},"purchase":{"total":{"currency":"EUR","amount":"9.98"}},"transaction":{"payment_date":"2026-01-02T03:04:05Z","payment_method":"pm-3","payment_method_name":"Card","payment_method_order_id":"ch_1"},"payment_details":{"payment":{"net_amount":"7.48","vat_amount":"1.50","discount":{"discount_id":"d1","discount_code":"NEW","discount_amount":"1.00","discount_rate":"0.1"}}}}}', '43bb8e165e795b864f70a17270089eddd9e77b95cec14ed3a007e11340705fb2', '2026-01-02T03:04:05.000Z', '2026-01-02T03:04:05Z', 1767323045000, NULL, 'transaction shop-order-9', 'transactions', 0, 'confirmed', 'match', NULL, NULL, 1, 1, '2026-11-22T06:09:56.168Z', 0, 1, NULL, '2026-11-22T06:09:56.168Z', NULL, 0),
  (27, 'game', '2026-11-22T06:09:56.093Z', '2026-11-22', '127.0.0.1', 'OrderPaid', 'order', 'shop-order-666', NULL, '{"notification_type":"OrderPaid","settings":{"merchant_id":"m-1001","project_id":"pr-77"},"transaction":{"external_id":"shop-order-666","id":"TX-666"},"user":{"external_id":"player-13"},"payment_details":{"payment":{"amount":"99","currency":"EUR"}},"unverified":{"order":{"id":"MO-6660","currency":"EUR","amount":"99.00","status":"Paid","invoice_id":"INV-66"},"transaction":{"payment_date":"2025-01-02T03:04:05Z"}}}', '566d1b1517abbdf1df9df26b604ec0be99d32cc3ea6c18887e77efa199b8e27d', '2025-01-02T03:04:05.000Z', '2025-01-02T03:04:05Z', 1735787045000, NULL, 'transaction shop-order-666', 'transactions', 0, 'ignored', 'not_found', 'the API knows no such transaction (RESOURCE_NOT_FOUND, debug_id 247d0c)', NULL, 0, 6, '2026-11-22T06:09:58.121Z', 0, 1, NULL, '2026-11-22T06:09:58.121Z', NULL, 0),
  (28, 'game', '2026-11-22T06:09:56.148Z', '2026-11-22', '127.0.0.1', 'OrderCancelled', 'order', 'shop-order-9', 'shop-order-9', '{"notification_type":"OrderCancelled","settings":{"merchant_id":"m-1001","project_id":"pr-77"},"transaction":{"external_id":"shop-order-9","id":"TX-555"},"user":{"external_id":"player-42"},"payment_details":{"payment":{"amount":"8.98","currency":"EUR"}},"unverified":{"order":{"id":"MO-7001","currency":"EUR","amount":"9.98","status":"Cancelled","invoice_id":"INV-88"},"transaction":{"payment_date":"2026-01-02T03:04:05Z"}}}', '0c00ec2cb928408be69413e6dcc5b622089c5190530f7218feee33599090d672', '2026-01-02T03:04:05.000Z', '2026-01-02T03:04:05Z', 1767323045000, NULL, 'transaction shop-order-9', 'transactions', 0, 'ignored', 'mismatch', 'transaction.status is Completed, not Cancelled', NULL, 0, 5, '2026-11-22T06:09:58.217Z', 0, 1, NULL, '2026-11-22T06:09:58.217Z', NULL, 0),
  (29, 'game', '2026-11-22T06:09:56.151Z', '2026-11-22', '127.0.0.1', 'OrderPaid', 'order', 'shop-order-9', NULL, '{"notification_type":"OrderPaid","settings":{"merchant_id":"m-1001","project_id":"pr-77"},"transaction":{"external_id":"shop-order-9","id":"TX-555"},"user":{"external_id":"player-42"},"payment_details":{"payment":{"amount":"8.98","currency":"EUR"}},"unverified":{"items":[{"sku":"gem_pack_60","quantity":2,"amount":"4.99"}],"order":{"id":"MO-7001","currency":"EUR","amount":"9.98","status":"Paid","invoice_id":"INV-88"},"user":{"email":"p42@example.test"},"custom_parameters":{"region":"eu-1"},"purchase":{"total":{"currency":"EUR","amount":"9.98"}},"transaction":{"payment_date":"2026-01-02T03:04:05Z","payment_method":"pm-3","payment_method_name":"Card","payment_method_order_id":"ch_1"},"payment_details":{"payment":{"net_amount":"7.48","vat_amount":"1.50","discount":{"discount_id":"d1","discount_code":"NEW","discount_amount":"1.00","discount_rate":"0.1"}}}}}', '43bb8e165e795b864f70a17270089eddd9e77b95cec14ed3a007e11340705fb2', '2026-01-02T03:04:05.000Z', '2026-01-02T03:04:05Z', 1767323045000, NULL, 'transaction shop-order-9', 'transactions', 0, 'ignored', 'duplicate', 'the same claim as notification 26', 26, 0, 0, '2026-11-22T06:09:56.151Z', 0, 0, NULL, '2026-11-22T06:09:56.172Z', NULL, 0),
  (3, 'oldshop', '2026-11-22T06:09:55.332Z', '2026-11-22', '127.0.0.1', 'order_status_change', 'order', '1207', '1207', '{"owner_id":"4400551","order_id":"1207","payment_status":"REFUNDED","fulfillment_status":"NEW","unverified":{"old_fulfillment_status":"NEW","event_type":"order_status_change","date":"2014-11-02 10:16:00","old_payment_status":"ACCEPTED"}}', 'ea9b877fb13d4a8b77f3c1946b1f06992bfce1675d1a614d53e9cb26be9406f5', NULL, '2014-11-02 10:16:00', 1414923360000, NULL, 'order 1207', 'orders', 1, 'ignored', 'mismatch', 'paymentStatus is PAID, not REFUNDED', NULL, 0, 5, '2026-11-22T06:09:57.353Z', 0, 1, NULL, '2026-11-22T06:09:57.353Z', NULL, 0),
  (30, 'game', '2026-11-22T06:09:56.158Z', '2026-11-22', '127.0.0.1', 'OrderPaid', 'order', 'shop-order-9', NULL, '{"notification_type":"OrderPaid","settings":{"merchant_id":"m-1001","project_id":"pr-78"},"transaction":{"external_id":"shop-order-9","id":"TX-555"},"user":{"external_id":"player-42"},"payment_details":{"payment":{"amount":"8.98","currency":"EUR"}},"unverified":{"order":{"id":"MO-7001","currency":"EUR","amount":"9.98","status":"Paid","invoice_id":"INV-88"},"transaction":{"payment_date":"2025-01-02T03:04:05Z"}}}', 'd38b25fd4e854b9d30af8b30218ad891e2afe8a7873b5e2a2cf47a4e91fd3a3e', '2025-01-02T03:04:05.000Z', '2025-01-02T03:04:05Z', 1735787045000, NULL, 'transaction shop-order-9', 'transactions', 0, 'ignored', 'wrong_store', 'settings.project_id is pr-78, not pr-77', NULL, 0, 0, '2026-11-22T06:09:56.158Z', 0, 0, NULL, '2026-11-22T06:09:56.172Z', NULL, 0),
  (31, 'game', '2026-11-22T06:09:56.161Z', '2026-11-22', '127.0.0.1', 'OrderPaid', 'order', 'shop-order-9', NULL, NULL, NULL, '2025-01-02T03:04:05.000Z', '2025-01-02T03:04:05Z', 1735787045000, NULL, NULL, NULL, 0, 'ignored', 'malformed', 'order.status is Cancelled, which contradicts notification_type OrderPaid', NULL, 0, 0, '2026-11-22T06:09:56.161Z', 0, 0, NULL, '2026-11-22T06:09:56.172Z', NULL, 0),
  (32, 'shop', '2026-11-22T06:09:56.171Z', '2026-11-22', '127.0.0.1', 'order.created', 'order', 'SALE-N3W1X', 'SALE-N3W1X', '{"storeId":"4400551","entityId":"731200460","data":{"orderId":"SALE-N3W1X","newPaymentStatus":"AWAITING_PAYMENT","newFulfillmentStatus":"AWAITING_PROCESSING"},"unverified":{"eventId":"11111111-2222-4333-8444-555555555560","eventCreated":1764000060,"eventType":"order.created"}}', '0ac9aaef0e0870909b5cad9b435d6087612de7e243d9a3cf1b52166c19e60830', '2025-11-24T16:01:00.000Z', '1764000060', 1764000060000, '11111111-2222-4333-8444-555555555560', 'orders ["SALE-N3W1X","731200460"]', 'orders', 1, 'confirmed', 'match', NULL, NULL, 1, 2, '2026-11-22T06:09:56.442Z', 0, 1, NULL, '2026-11-22T06:09:56.442Z', NULL, 0),
  (33, 'branch', '2026-11-22T06:09:56.176Z', '2026-11-22', '127.0.0.1', 'order.updated', 'order', 'BRANCH-7QK2', 'BRANCH-7QK2', '{"storeId":"4400552","entityId":"731300001","data":{"orderId":"BRANCH-7QK2","newPaymentStatus":"PAID","newFulfillmentStatus":"AWAITING_PROCESSING"},"unverified":{"eventId":"11111111-2222-4333-8444-555555555570","eventCreated":1764000070,"eventType":"order.updated","data":{"oldPaymentStatus":"AWAITING_PAYMENT","oldFulfillmentStatus":"AWAITING_PROCESSING"}}}', '21e6208b146e668b14071beb59a72579516a28d55e7f7e8b51362cc3b28fca5b', '2025-11-24T16:01:10.000Z', '1764000070', 1764000070000, '11111111-2222-4333-8444-555555555570', 'orders ["BRANCH-7QK2","731300001"]', 'orders', 1, 'confirmed', 'match', NULL, NULL, 1, 2, '2026-11-22T06:09:56.415Z', 0, 1, NULL, '2026-11-22T06:09:56.415Z', NULL, 0),
  (4, 'oldshop', '2026-11-22T06:09:55.340Z', '2026-11-22', '127.0.0.1', 'order_status_change', 'order', '1207', NULL, '{"owner_id":"4400551","order_id":"1207","payment_status":"ACCEPTED","fulfillment_status":"NEW","unverified":{"old_fulfillment_status":"NEW","event_type":"order_status_change","date":"2014-11-02 09:41:00","old_payment_status":"QUEUED"}}', 'ea5a2511cb27fcbaa43e9921e803ecffcbc9efacad0524ceaea8c171ea563d75', NULL, '2014-11-02 09:41:00', 1414921260000, NULL, 'order 1207', 'orders', 1, 'ignored', 'duplicate', 'the same claim as notification 1', 1, 0, 0, '2026-11-22T06:09:55.340Z', 0, 0, NULL, '2026-11-22T06:09:55.778Z', NULL, 0),
  (5, 'oldshop', '2026-11-22T06:09:55.696Z', '2026-11-22', '127.0.0.1', 'order_status_change', 'order', '1207', NULL, '{"owner_id":"1003","order_id":"1207","payment_status":"ACCEPTED","fulfillment_status":"NEW","unverified":{"old_fulfillment_status":"NEW","event_type":"order_status_change","date":"2014-11-02 09:41:00","old_payment_status":"QUEUED"}}', 'c636f5cfd9950ec764bb2ae263ef48a668c8d216055f0350e11a88e853ec3678', NULL, '2014-11-02 09:41:00', 1414921260000, NULL, 'order 1207', 'orders', 0, 'ignored', 'wrong_store', 'owner_id is 1003, not 4400551', NULL, 0, 0, '2026-11-22T06:09:55.696Z', 0, 0, NULL, '2026-11-22T06:09:55.778Z', NULL, 0),
  (7, 'shop', '2026-11-22T06:09:55.886Z', '2026-11-22', '127.0.0.1', 'order.updated', 'order', 'SALE-H4K9P', 'SALE-H4K9P', '{"storeId":"4400551","entityId":"731200456","data":{"orderId":"SALE-H4K9P","newPaymentStatus":"PAID","newFulfillmentStatus":"AWAITING_PROCESSING"},"unverified":{"eventId":"11111111-2222-4333-8444-555555555555","eventCreated":1764000000,"eventType":"order.updated","data":{"oldPaymentStatus":"AWAITING_PAYMENT","oldFulfillmentStatus":"AWAITING_PROCESSING"}}}', '307e1ed4669d500095b236598a39399ef70db4511c522c41004439197c5f41b1', '2025-11-24T16:00:00.000Z', '1764000000', 1764000000000, '11111111-2222-4333-8444-555555555555', 'orders ["SALE-H4K9P","731200456"]', 'orders', 1, 'confirmed', 'match', NULL, NULL, 1, 1, '2026-11-22T06:09:56.014Z', 0, 1, NULL, '2026-11-22T06:09:56.014Z', NULL, 0),
  (8, 'shop', '2026-11-22T06:09:55.898Z', '2026-11-22', '127.0.0.1', 'order.updated', 'order', 'SALE-F4K3D', NULL, '{"storeId":"4400551","entityId":"731200666","data":{"orderId":"SALE-F4K3D","newPaymentStatus":"PAID","newFulfillmentStatus":"AWAITING_PROCESSING"},"unverified":{"eventId":"11111111-2222-4333-8444-555555555555","eventCreated":1764000000,"eventType":"order.updated","data":{"oldPaymentStatus":"AWAITING_PAYMENT","oldFulfillmentStatus":"AWAITING_PROCESSING"}}}', 'f2e06e232123558005fd61d65b3c390f77ec795ef9d233f3cedfbf8aea56dfcf', '2025-11-24T16:00:00.000Z', '1764000000', 1764000000000, '11111111-2222-4333-8444-555555555555', 'orders ["SALE-F4K3D","731200666"]', 'orders', 1, 'ignored', 'not_found', 'the shop has no order SALE-F4K3D', NULL, 0, 6, '2026-11-22T06:09:57.926Z', 0, 1, NULL, '2026-11-22T06:09:57.926Z', NULL, 0),
  (9, 'shop', '2026-11-22T06:09:55.901Z', '2026-11-22', '127.0.0.1', 'order.updated', 'order', 'SALE-H4K9P', 'SALE-H4K9P', '{"storeId":"4400551","entityId":"731200456","data":{"orderId":"SALE-H4K9P","newPaymentStatus":"REFUNDED","newFulfillmentStatus":"AWAITING_PROCESSING"},"unverified":{"eventId":"11111111-2222-4333-8444-555555555555","eventCreated":1764000000,"eventType":"order.updated","data":{"oldPaymentStatus":"PAID","oldFulfillmentStatus":"AWAITING_PROCESSING"}}}', '298f91e8454c1d65b08cdcbf110769dd60f14c3151811a9b8255af6a5f5d14d7', '2025-11-24T16:00:00.000Z', '1764000000', 1764000000000, '11111111-2222-4333-8444-555555555555', 'orders ["SALE-H4K9P","731200456"]', 'orders', 1, 'ignored', 'mismatch', 'paymentStatus is PAID, not REFUNDED', NULL, 0, 6, '2026-11-22T06:09:57.922Z', 0, 1, NULL, '2026-11-22T06:09:57.922Z', NULL, 0);

INSERT INTO verifications (id, notification_id, call_id, at, outcome, http_status, latency_ms, detail, answer) VALUES
  (1, 1, 1, '2026-11-22T06:09:55.355Z', 'match', 200, 336, NULL, '{"id":"1207","internalId":"41207","orderNumber":"1207","paymentStatus":"PAID","fulfillmentStatus":"AWAITING_PROCESSING","updateDate":"2026-11-22 06:09:54 +0000"}'),
  (10, 15, 11, '2026-11-22T06:09:56.044Z', 'not_yet', 200, 1, 'status is refunded, not completed', '{"orderId":"K5REFUND3D9","orderExternalId":"shop-000398","status":"refunded"}'),
  (11, 19, 14, '2026-11-22T06:09:56.055Z', 'match', 200, 0, NULL, '{"orderId":"QZ7T2RMN4WB","orderExternalId":"shop-000451","status":"completed"}'),
  (12, 20, 13, '2026-11-22T06:09:56.055Z', 'match', 200, 0, NULL, '{"kinguinId":70123,"productId":"5f00aa11bb22cc33dd44ee55","updatedAt":"2026-11-22T06:09:54+00:00"}'),
  (13, 2, 15, '2026-11-22T06:09:56.060Z', 'not_yet', 404, 2, 'the shop has no order 1666', '{"status":404,"errorCode":"ORDER_NOT_FOUND","total":0}'),
  (14, 22, 18, '2026-11-22T06:09:56.068Z', 'not_yet', 200, 0, 'status is completed, not refunded', '{"orderId":"QZ7T2RMN4WB","orderExternalId":"shop-000451","status":"completed"}'),
  (15, 21, 17, '2026-11-22T06:09:56.068Z', 'not_yet', 404, 0, 'the API does not show it (404, kind OrderNotFound)', '{"http_status":404,"kind":"OrderNotFound"}'),
  (16, 3, 19, '2026-11-22T06:09:56.143Z', 'not_yet', 200, 1, 'paymentStatus is PAID, not REFUNDED', '{"id":"1207","internalId":"41207","orderNumber":"1207","paymentStatus":"PAID","fulfillmentStatus":"AWAITING_PROCESSING","updateDate":"2026-11-22 06:09:54 +0000"}'),
  (17, 24, 20, '2026-11-22T06:09:56.153Z', 'not_yet', 404, 1, 'the API does not show it (404, kind OrderNotFound)', '{"http_status":404,"kind":"OrderNotFound"}'),
  (18, 26, 21, '2026-11-22T06:09:56.165Z', 'match', 200, 1, NULL, '{"transaction":{"external_id":"shop-order-9","id":"TX-555","project":{"id":"pr-77"},"status":"Completed"},"user":{"id":"player-42"},"payment_details":{"payment":{"amount":"8.98","currency":"EUR"}}}'),
  (19, 28, 21, '2026-11-22T06:09:56.165Z', 'not_yet', 200, 1, 'transaction.status is Completed, not Cancelled', '{"transaction":{"external_id":"shop-order-9","id":"TX-555","project":{"id":"pr-77"},"status":"Completed"},"user":{"id":"player-42"},"payment_details":{"payment":{"amount":"8.98","currency":"EUR"}}}'),
  (2, 3, 3, '2026-11-22T06:09:55.893Z', 'not_yet', 200, 1, 'paymentStatus is PAID, not REFUNDED', '{"id":"1207","internalId":"41207","orderNumber":"1207","paymentStatus":"PAID","fulfillmentStatus":"AWAITING_PROCESSING","updateDate":"2026-11-22 06:09:54 +0000"}'),
  (20, 27, 22, '2026-11-22T06:09:56.164Z', 'not_yet', 404, 4, 'the API knows no such transaction (RESOURCE_NOT_FOUND, debug_id 247d0c)', '{"name":"RESOURCE_NOT_FOUND","debug_id":"247d0c"}'),
  (21, 33, 23, '2026-11-22T06:09:56.180Z', 'api_unreachable', NULL, 0, 'no connection: Connection refused (os error 111)', NULL),
  (22, 32, 24, '2026-11-22T06:09:56.197Z', 'not_yet', 404, 1, 'the shop has no order SALE-N3W1X', '{"status":404,"errorCode":"ORDER_NOT_FOUND","total":0}'),
  (23, 15, 26, '2026-11-22T06:09:56.202Z', 'not_yet', 200, 0, 'status is refunded, not completed', '{"orderId":"K5REFUND3D9","orderExternalId":"shop-000398","status":"refunded"}'),
  (24, 22, 28, '2026-11-22T06:09:56.232Z', 'not_yet', 200, 1, 'status is completed, not refunded', '{"orderId":"QZ7T2RMN4WB","orderExternalId":"shop-000451","status":"completed"}'),
  (25, 21, 27, '2026-11-22T06:09:56.232Z', 'not_yet', 404, 2, 'the API does not show it (404, kind OrderNotFound)', '{"http_status":404,"kind":"OrderNotFound"}'),
  (26, 17, 29, '2026-11-22T06:09:56.266Z', 'not_yet', 404, 1, 'the API does not show it (404, kind OrderNotFound)', '{"http_status":404,"kind":"OrderNotFound"}'),
  (27, 14, 30, '2026-11-22T06:09:56.286Z', 'not_yet', 404, 1, 'the API does not show it (404, kind OrderNotFound)', '{"http_status":404,"kind":"OrderNotFound"}'),
  (28, 9, 31, '2026-11-22T06:09:56.290Z', 'not_yet', 200, 1, 'paymentStatus is PAID, not REFUNDED', '{"id":"SALE-H4K9P","internalId":"731200456","orderNumber":"731200456","paymentStatus":"PAID","fulfillmentStatus":"AWAITING_PROCESSING","updateDate":"2026-11-22 06:09:54 +0000"}'),
  (29, 33, 33, '2026-11-22T06:09:56.411Z', 'match', 200, 3, NULL, '{"id":"BRANCH-7QK2","internalId":"731300001","orderNumber":"731300001","paymentStatus":"PAID","fulfillmentStatus":"AWAITING_PROCESSING","updateDate":"2026-11-22 06:09:54 +0000"}'),
  (3, 2, 2, '2026-11-22T06:09:55.893Z', 'not_yet', 404, 3, 'the shop has no order 1666', '{"status":404,"errorCode":"ORDER_NOT_FOUND","total":0}'),
  (30, 8, 32, '2026-11-22T06:09:56.320Z', 'not_yet', 404, 87, 'the shop has no order SALE-F4K3D', '{"status":404,"errorCode":"ORDER_NOT_FOUND","total":0}'),
  (31, 28, 35, '2026-11-22T06:09:56.422Z', 'not_yet', 200, 2, 'transaction.status is Completed, not Cancelled', '{"transaction":{"external_id":"shop-order-9","id":"TX-555","project":{"id":"pr-77"},"status":"Completed"},"user":{"id":"player-42"},"payment_details":{"payment":{"amount":"8.98","currency":"EUR"}}}'),
  (32, 32, 36, '2026-11-22T06:09:56.441Z', 'match', 200, 1, NULL, '{"id":"SALE-N3W1X","internalId":"731200460","orderNumber":"731200460","paymentStatus":"AWAITING_PAYMENT","fulfillmentStatus":"AWAITING_PROCESSING","updateDate":"2026-11-22 06:09:54 +0000"}'),
  (33, 27, 37, '2026-11-22T06:09:56.453Z', 'not_yet', 404, 2, 'the API knows no such transaction (RESOURCE_NOT_FOUND, debug_id 247d0c)', '{"name":"RESOURCE_NOT_FOUND","debug_id":"247d0c"}'),
  (34, 24, 38, '2026-11-22T06:09:56.457Z', 'not_yet', 404, 3, 'the API does not show it (404, kind OrderNotFound)', '{"http_status":404,"kind":"OrderNotFound"}'),
  (35, 2, 39, '2026-11-22T06:09:56.469Z', 'not_yet', 404, 2, 'the shop has no order 1666', '{"status":404,"errorCode":"ORDER_NOT_FOUND","total":0}'),
  (36, 22, 41, '2026-11-22T06:09:56.602Z', 'not_yet', 200, 1, 'status is completed, not refunded', '{"orderId":"QZ7T2RMN4WB","orderExternalId":"shop-000451","status":"completed"}'),
  (37, 15, 42, '2026-11-22T06:09:56.658Z', 'not_yet', 200, 1, 'status is refunded, not completed', '{"orderId":"K5REFUND3D9","orderExternalId":"shop-000398","status":"refunded"}'),
  (38, 8, 43, '2026-11-22T06:09:56.673Z', 'not_yet', 404, 7, 'the shop has no order SALE-F4K3D', '{"status":404,"errorCode":"ORDER_NOT_FOUND","total":0}'),
  (39, 3, 45, '2026-11-22T06:09:56.737Z', 'not_yet', 200, 1, 'paymentStatus is PAID, not REFUNDED', '{"id":"1207","internalId":"41207","orderNumber":"1207","paymentStatus":"PAID","fulfillmentStatus":"AWAITING_PROCESSING","updateDate":"2026-11-22 06:09:54 +0000"}'),
  (4, 7, 5, '2026-11-22T06:09:56.012Z', 'match', 200, 1, NULL, '{"id":"SALE-H4K9P","internalId":"731200456","orderNumber":"731200456","paymentStatus":"PAID","fulfillmentStatus":"AWAITING_PROCESSING","updateDate":"2026-11-22 06:09:54 +0000"}'),
  (40, 17, 46, '2026-11-22T06:09:56.793Z', 'not_yet', 404, 8, 'the API does not show it (404, kind OrderNotFound)', '{"http_status":404,"kind":"OrderNotFound"}'),
  (41, 14, 47, '2026-11-22T06:09:56.817Z', 'not_yet', 404, 8, 'the API does not show it (404, kind OrderNotFound)', '{"http_status":404,"kind":"OrderNotFound"}'),
  (42, 9, 48, '2026-11-22T06:09:56.834Z', 'not_yet', 200, 7, 'paymentStatus is PAID, not REFUNDED', '{"id":"SALE-H4K9P","internalId":"731200456","orderNumber":"731200456","paymentStatus":"PAID","fulfillmentStatus":"AWAITING_PROCESSING","updateDate":"2026-11-22 06:09:54 +0000"}'),
  (43, 21, 50, '2026-11-22T06:09:56.873Z', 'not_yet', 404, 4, 'the API does not show it (404, kind OrderNotFound)', '{"http_status":404,"kind":"OrderNotFound"}'),
  (44, 24, 49, '2026-11-22T06:09:56.873Z', 'not_yet', 404, 4, 'the API does not show it (404, kind OrderNotFound)', '{"http_status":404,"kind":"OrderNotFound"}'),
  (45, 2, 51, '2026-11-22T06:09:56.953Z', 'not_yet', 404, 7, 'the shop has no order 1666', '{"status":404,"errorCode":"ORDER_NOT_FOUND","total":0}'),
  (46, 28, 53, '2026-11-22T06:09:57.008Z', 'not_yet', 200, 6, 'transaction.status is Completed, not Cancelled', '{"transaction":{"external_id":"shop-order-9","id":"TX-555","project":{"id":"pr-77"},"status":"Completed"},"user":{"id":"player-42"},"payment_details":{"payment":{"amount":"8.98","currency":"EUR"}}}'),
  (47, 27, 54, '2026-11-22T06:09:57.057Z', 'not_yet', 404, 7, 'the API knows no such transaction (RESOURCE_NOT_FOUND, debug_id 247d0c)', '{"name":"RESOURCE_NOT_FOUND","debug_id":"247d0c"}'),
  (48, 15, 55, '2026-11-22T06:09:57.085Z', 'not_yet', 200, 1, 'status is refunded, not completed', '{"orderId":"K5REFUND3D9","orderExternalId":"shop-000398","status":"refunded"}'),
  (49, 22, 56, '2026-11-22T06:09:57.152Z', 'not_yet', 200, 7, 'status is completed, not refunded', '{"orderId":"QZ7T2RMN4WB","orderExternalId":"shop-000451","status":"completed"}'),
  (5, 9, 7, '2026-11-22T06:09:56.023Z', 'not_yet', 200, 0, 'paymentStatus is PAID, not REFUNDED', '{"id":"SALE-H4K9P","internalId":"731200456","orderNumber":"731200456","paymentStatus":"PAID","fulfillmentStatus":"AWAITING_PROCESSING","updateDate":"2026-11-22 06:09:54 +0000"}'),
  (50, 17, 58, '2026-11-22T06:09:57.193Z', 'not_yet', 404, 1, 'the API does not show it (404, kind OrderNotFound)', '{"http_status":404,"kind":"OrderNotFound"}'),
  (51, 14, 57, '2026-11-22T06:09:57.193Z', 'not_yet', 404, 5, 'the API does not show it (404, kind OrderNotFound)', '{"http_status":404,"kind":"OrderNotFound"}'),
  (52, 8, 59, '2026-11-22T06:09:57.213Z', 'not_yet', 404, 4, 'the shop has no order SALE-F4K3D', '{"status":404,"errorCode":"ORDER_NOT_FOUND","total":0}'),
  (53, 24, 60, '2026-11-22T06:09:57.237Z', 'not_yet', 404, 2, 'the API does not show it (404, kind OrderNotFound)', '{"http_status":404,"kind":"OrderNotFound"}'),
  (54, 9, 62, '2026-11-22T06:09:57.265Z', 'not_yet', 200, 14, 'paymentStatus is PAID, not REFUNDED', '{"id":"SALE-H4K9P","internalId":"731200456","orderNumber":"731200456","paymentStatus":"PAID","fulfillmentStatus":"AWAITING_PROCESSING","updateDate":"2026-11-22 06:09:54 +0000"}'),
  (55, 3, 63, '2026-11-22T06:09:57.298Z', 'not_yet', 200, 4, 'paymentStatus is PAID, not REFUNDED', '{"id":"1207","internalId":"41207","orderNumber":"1207","paymentStatus":"PAID","fulfillmentStatus":"AWAITING_PROCESSING","updateDate":"2026-11-22 06:09:54 +0000"}'),
  (56, 3, 66, '2026-11-22T06:09:57.345Z', 'mismatch', 200, 8, 'paymentStatus is PAID, not REFUNDED', '{"id":"1207","internalId":"41207","orderNumber":"1207","paymentStatus":"PAID","fulfillmentStatus":"AWAITING_PROCESSING","updateDate":"2026-11-22 06:09:54 +0000"}'),
  (57, 2, 64, '2026-11-22T06:09:57.328Z', 'not_found', 404, 9, 'the shop has no order 1666', '{"status":404,"errorCode":"ORDER_NOT_FOUND","total":0}'),
  (58, 21, 67, '2026-11-22T06:09:57.371Z', 'not_yet', 404, 5, 'the API does not show it (404, kind OrderNotFound)', '{"http_status":404,"kind":"OrderNotFound"}'),
  (59, 27, 68, '2026-11-22T06:09:57.474Z', 'not_yet', 404, 6, 'the API knows no such transaction (RESOURCE_NOT_FOUND, debug_id 247d0c)', '{"name":"RESOURCE_NOT_FOUND","debug_id":"247d0c"}'),
  (6, 8, 6, '2026-11-22T06:09:56.023Z', 'not_yet', 404, 1, 'the shop has no order SALE-F4K3D', '{"status":404,"errorCode":"ORDER_NOT_FOUND","total":0}'),
  (60, 15, 69, '2026-11-22T06:09:57.521Z', 'not_yet', 200, 60, 'status is refunded, not completed', '{"orderId":"K5REFUND3D9","orderExternalId":"shop-000398","status":"refunded"}'),
  (61, 14, 70, '2026-11-22T06:09:57.665Z', 'not_yet', 404, 2, 'the API does not show it (404, kind OrderNotFound)', '{"http_status":404,"kind":"OrderNotFound"}'),
  (62, 17, 71, '2026-11-22T06:09:57.665Z', 'not_yet', 404, 3, 'the API does not show it (404, kind OrderNotFound)', '{"http_status":404,"kind":"OrderNotFound"}'),
  (63, 28, 73, '2026-11-22T06:09:57.672Z', 'not_yet', 200, 2, 'transaction.status is Completed, not Cancelled', '{"transaction":{"external_id":"shop-order-9","id":"TX-555","project":{"id":"pr-77"},"status":"Completed"},"user":{"id":"player-42"},"payment_details":{"payment":{"amount":"8.98","currency":"EUR"}}}'),
  (64, 8, 72, '2026-11-22T06:09:57.668Z', 'not_yet', 404, 0, 'the shop has no order SALE-F4K3D', '{"status":404,"errorCode":"ORDER_NOT_FOUND","total":0}'),
  (65, 24, 76, '2026-11-22T06:09:57.678Z', 'not_yet', 404, 0, 'the API does not show it (404, kind OrderNotFound)', '{"http_status":404,"kind":"OrderNotFound"}'),
  (66, 22, 75, '2026-11-22T06:09:57.679Z', 'not_yet', 200, 1, 'status is completed, not refunded', '{"orderId":"QZ7T2RMN4WB","orderExternalId":"shop-000451","status":"completed"}'),
  (67, 9, 77, '2026-11-22T06:09:57.812Z', 'not_yet', 200, 1, 'paymentStatus is PAID, not REFUNDED', '{"id":"SALE-H4K9P","internalId":"731200456","orderNumber":"731200456","paymentStatus":"PAID","fulfillmentStatus":"AWAITING_PROCESSING","updateDate":"2026-11-22 06:09:54 +0000"}'),
  (68, 27, 78, '2026-11-22T06:09:57.817Z', 'not_yet', 404, 2, 'the API knows no such transaction (RESOURCE_NOT_FOUND, debug_id 247d0c)', '{"name":"RESOURCE_NOT_FOUND","debug_id":"247d0c"}'),
  (69, 21, 79, '2026-11-22T06:09:57.823Z', 'not_yet', 404, 1, 'the API does not show it (404, kind OrderNotFound)', '{"http_status":404,"kind":"OrderNotFound"}'),
  (7, 14, 10, '2026-11-22T06:09:56.035Z', 'not_yet', 404, 0, 'the API does not show it (404, kind OrderNotFound)', '{"http_status":404,"kind":"OrderNotFound"}'),
  (70, 9, 81, '2026-11-22T06:09:57.918Z', 'mismatch', 200, 2, 'paymentStatus is PAID, not REFUNDED', '{"id":"SALE-H4K9P","internalId":"731200456","orderNumber":"731200456","paymentStatus":"PAID","fulfillmentStatus":"AWAITING_PROCESSING","updateDate":"2026-11-22 06:09:54 +0000"}'),
  (71, 8, 80, '2026-11-22T06:09:57.918Z', 'not_found', 404, 2, 'the shop has no order SALE-F4K3D', '{"status":404,"errorCode":"ORDER_NOT_FOUND","total":0}'),
  (72, 17, 83, '2026-11-22T06:09:57.987Z', 'not_yet', 404, 1, 'the API does not show it (404, kind OrderNotFound)', '{"http_status":404,"kind":"OrderNotFound"}'),
  (73, 17, 86, '2026-11-22T06:09:58.045Z', 'not_found', 404, 4, 'the API does not show it (404, kind OrderNotFound)', '{"http_status":404,"kind":"OrderNotFound"}'),
  (74, 14, 84, '2026-11-22T06:09:58.044Z', 'not_found', 404, 5, 'the API does not show it (404, kind OrderNotFound)', '{"http_status":404,"kind":"OrderNotFound"}'),
  (75, 15, 85, '2026-11-22T06:09:58.045Z', 'mismatch', 200, 12, 'status is refunded, not completed', '{"orderId":"K5REFUND3D9","orderExternalId":"shop-000398","status":"refunded"}'),
  (76, 22, 88, '2026-11-22T06:09:58.073Z', 'mismatch', 200, 1, 'status is completed, not refunded', '{"orderId":"QZ7T2RMN4WB","orderExternalId":"shop-000451","status":"completed"}'),
  (77, 21, 87, '2026-11-22T06:09:58.072Z', 'not_found', 404, 1, 'the API does not show it (404, kind OrderNotFound)', '{"http_status":404,"kind":"OrderNotFound"}'),
  (78, 24, 89, '2026-11-22T06:09:58.072Z', 'not_found', 404, 2, 'the API does not show it (404, kind OrderNotFound)', '{"http_status":404,"kind":"OrderNotFound"}'),
  (79, 27, 90, '2026-11-22T06:09:58.117Z', 'not_found', 404, 2, 'the API knows no such transaction (RESOURCE_NOT_FOUND, debug_id 247d0c)', '{"name":"RESOURCE_NOT_FOUND","debug_id":"247d0c"}'),
  (8, 13, 9, '2026-11-22T06:09:56.035Z', 'match', 200, 2, NULL, '{"orderId":"QZ7T2RMN4WB","orderExternalId":"shop-000451","status":"completed"}'),
  (80, 28, 91, '2026-11-22T06:09:58.213Z', 'mismatch', 200, 2, 'transaction.status is Completed, not Cancelled', '{"transaction":{"external_id":"shop-order-9","id":"TX-555","project":{"id":"pr-77"},"status":"Completed"},"user":{"id":"player-42"},"payment_details":{"payment":{"amount":"8.98","currency":"EUR"}}}'),
  (81, 1007, 5007, '2026-11-22T04:30:00.000Z', 'api_unreachable', NULL, 47, 'HTTP 503', NULL),
  (82, 1008, 5008, '2026-11-22T04:30:00.000Z', 'api_denied', 503, 48, 'HTTP 503', NULL),
  (83, 1009, 5009, '2026-11-22T04:30:00.000Z', 'api_rate_limited', 503, 49, 'HTTP 503', NULL),
  (84, 1010, 5010, '2026-11-22T04:30:00.000Z', 'api_error', 503, 50, 'HTTP 503', NULL),
  (85, 1011, 5011, '2026-11-22T04:30:00.000Z', 'not_yet', 503, 51, 'HTTP 503', NULL),
  (86, 1013, 5013, '2026-11-22T04:30:00.000Z', 'api_unreachable', NULL, 53, 'HTTP 503', NULL),
  (87, 1014, 5014, '2026-11-22T04:30:00.000Z', 'api_denied', 503, 54, 'HTTP 503', NULL),
  (88, 1015, 5015, '2026-11-22T04:30:00.000Z', 'api_rate_limited', 503, 55, 'HTTP 503', NULL),
  (89, 1016, 5016, '2026-11-22T04:30:00.000Z', 'api_error', 503, 56, 'HTTP 503', NULL),
  (9, 17, 12, '2026-11-22T06:09:56.044Z', 'not_yet', 404, 1, 'the API does not show it (404, kind OrderNotFound)', '{"http_status":404,"kind":"OrderNotFound"}'),
  (90, 1017, 5017, '2026-11-22T04:30:00.000Z', 'not_yet', 503, 57, 'HTTP 503', NULL),
  (91, 1100, 6000, '2026-11-22T05:20:00.000Z', 'match', 200, 31, NULL, '{"paymentStatus":"PAID"}');

INSERT INTO orders (source, order_id, status, fulfillment_status, total, currency, email, updated_at, fetched_at, gone_at, raw, internal_id, notified_at, emptied) VALUES
  ('branch', 'BRANCH-7QK2', 'PAID', 'AWAITING_PROCESSING', '24.5', NULL, 'buyer@example.test', '2026-11-22T06:09:54.000Z', '2026-11-22T06:09:56.411Z', NULL, '{"id":"BRANCH-7QK2","internalId":731300001,"orderNumber":731300001,"vendorOrderNumber":"BRANCH-7QK2","email":"buyer@example.test","total":24.5,"subtotal":20,"tax":0,"usdTotal":26.9,"refundedAmount":0,"paymentStatus":"PAID","fulfillmentStatus":"AWAITING_PROCESSING","items":[{"id":88001,"productId":9001,"sku":"A-1","name":"Mug","quantity":2,"price":10}],"createDate":"2026-11-22 06:09:54 +0000","createTimestamp":1795327794,"updateDate":"2026-11-22 06:09:54 +0000","updateTimestamp":1795327794}', '731300001', '2026-11-22T06:09:56.176Z', 0),
  ('game', 'shop-order-9', 'Completed', NULL, '8.98', 'EUR', 'p42@example.test', NULL, '2026-11-22T06:09:58.213Z', NULL, '{"payment_details":{"payment":{"amount":"8.98","currency":"EUR","net_amount":"7.48","vat_amount":"1.50","discount":{"discount_id":"d1","discount_code":"NEW","discount_amount":"1.00","discount_rate":"0.1"}}},"transaction":{"external_id":"shop-order-9","id":"TX-555","payment_date":"2026-01-02T03:04:05Z","status":"Completed","project":{"id":"pr-77"}},"user":{"region_code":"DE","email":"p42@example.test","id":"player-42","name":"P"}}', NULL, '2026-11-22T06:09:56.148Z', 0),
  ('keys', 'QZ7T2RMN4WB', 'completed', NULL, '12.40', 'EUR', 'buyer@example.test', NULL, '2026-11-22T06:09:58.073Z', NULL, '{"orderId":"QZ7T2RMN4WB","status":"completed","storeId":12,"userEmail":"buyer@example.test","totalPrice":12.40,"requestTotalPrice":12.40,"paymentPrice":12.10,"totalQty":2,"isPreorder":false,"products":[{"kinguinId":70123,"productId":"5f00aa11bb22cc33dd44ee55","offerId":"60aa11bb22cc33dd44ee55ff","qty":2,"name":"Example Game Key","price":6.20,"totalPrice":12.40,"requestPrice":6.20,"isPreorder":false,"releaseDate":"2020-01-02","keyType":"text"}],"orderExternalId":"shop-000451","createdAt":"2026-11-22T06:09:54+00:00"}', NULL, '2026-11-22T06:09:56.054Z', 0),
  ('oldkeys', 'K5REFUND3D9', 'refunded', NULL, '12.40', 'EUR', 'buyer@example.test', NULL, '2026-11-22T06:09:58.045Z', NULL, '{"orderId":"K5REFUND3D9","status":"refunded","storeId":12,"userEmail":"buyer@example.test","totalPrice":12.40,"requestTotalPrice":12.40,"paymentPrice":12.10,"totalQty":2,"isPreorder":false,"products":[{"kinguinId":70123,"productId":"5f00aa11bb22cc33dd44ee55","offerId":"60aa11bb22cc33dd44ee55ff","qty":2,"name":"Example Game Key","price":6.20,"totalPrice":12.40,"requestPrice":6.20,"isPreorder":false,"releaseDate":"2020-01-02","keyType":"text"}],"orderExternalId":"shop-000398","createdAt":"2026-11-22T06:09:54+00:00"}', NULL, '2026-11-22T06:09:56.029Z', 0),
  ('oldkeys', 'QZ7T2RMN4WB', 'completed', NULL, '12.40', 'EUR', 'buyer@example.test', NULL, '2026-11-22T06:09:56.035Z', NULL, '{"orderId":"QZ7T2RMN4WB","status":"completed","storeId":12,"userEmail":"buyer@example.test","totalPrice":12.40,"requestTotalPrice":12.40,"paymentPrice":12.10,"totalQty":2,"isPreorder":false,"products":[{"kinguinId":70123,"productId":"5f00aa11bb22cc33dd44ee55","offerId":"60aa11bb22cc33dd44ee55ff","qty":2,"name":"Example Game Key","price":6.20,"totalPrice":12.40,"requestPrice":6.20,"isPreorder":false,"releaseDate":"2020-01-02","keyType":"text"}],"orderExternalId":"shop-000451","createdAt":"2026-11-22T06:09:54+00:00"}', NULL, '2026-11-22T06:09:56.022Z', 0),
  ('oldshop', '1207', 'PAID', 'AWAITING_PROCESSING', '24.5', NULL, NULL, '2026-11-22T06:09:54.000Z', '2026-11-22T06:09:57.345Z', NULL, NULL, '41207', '2026-11-22T06:09:55.332Z', 1),
  ('shop', 'SALE-H4K9P', 'PAID', 'AWAITING_PROCESSING', '24.5', NULL, 'buyer@example.test', '2026-11-22T06:09:54.000Z', '2026-11-22T06:09:57.918Z', NULL, '{"id":"SALE-H4K9P","internalId":731200456,"orderNumber":731200456,"vendorOrderNumber":"SALE-H4K9P","email":"buyer@example.test","total":24.50,"subtotal":20,"tax":0,"usdTotal":26.9,"refundedAmount":0,"paymentStatus":"PAID","fulfillmentStatus":"AWAITING_PROCESSING","items":[{"id":88001,"productId":9001,"sku":"A-1","name":"Mug","quantity":2,"price":10}],"createDate":"2026-11-22 06:09:54 +0000","createTimestamp":1795327794,"updateDate":"2026-11-22 06:09:54 +0000","updateTimestamp":1795327794}', '731200456', '2026-11-22T06:09:55.901Z', 0),
  ('shop', 'SALE-N3W1X', 'AWAITING_PAYMENT', 'AWAITING_PROCESSING', '24.5', NULL, 'buyer@example.test', '2026-11-22T06:09:54.000Z', '2026-11-22T06:09:56.441Z', '2026-11-22T05:00:00.000Z', '{"id":"SALE-N3W1X","internalId":731200460,"orderNumber":731200460,"vendorOrderNumber":"SALE-N3W1X","email":"buyer@example.test","total":24.5,"subtotal":20,"tax":0,"usdTotal":26.9,"refundedAmount":0,"paymentStatus":"AWAITING_PAYMENT","fulfillmentStatus":"AWAITING_PROCESSING","items":[{"id":88001,"productId":9001,"sku":"A-1","name":"Mug","quantity":2,"price":10}],"createDate":"2026-11-22 06:09:54 +0000","createTimestamp":1795327794,"updateDate":"2026-11-22 06:09:54 +0000","updateTimestamp":1795327794}', '731200460', '2026-11-22T06:09:56.171Z', 0);

INSERT INTO products (source, product_id, name, price, currency, qty, available, updated_at, fetched_at, raw, internal_id, notified_at, emptied) VALUES
  ('keys', '1949', 'Counter-Strike: Source', '6.79', 'EUR', 12, 1, '2026-11-20T10:00:00.000Z', '2026-11-22T05:00:00.000Z', '{"kinguinId":1949}', '5c9b5b3b2539a4e8f1785ad2', '2026-11-22T05:00:00.000Z', 0),
  ('keys', '70123', 'Example Game Key', '6.20', 'EUR', 31, 1, '2026-11-22T06:09:54.000Z', '2026-11-22T06:09:56.055Z', '{"kinguinId":70123,"productId":"5f00aa11bb22cc33dd44ee55","name":"Example Game Key","price":6.20,"qty":31,"textQty":31,"totalQty":80,"offersCount":3,"cheapestOfferId":["60aa11bb22cc33dd44ee55ff"],"merchantName":["ExampleSeller"],"isPreorder":false,"updatedAt":"2026-11-22T06:09:54+00:00"}', '5f00aa11bb22cc33dd44ee55', '2026-11-22T06:09:56.047Z', 0),
  ('shop', '37208340', 'Mug "blue", 0,3 l', '12.00', 'USD', NULL, NULL, NULL, '2026-11-22T05:00:00.000Z', NULL, NULL, '2026-11-22T05:00:00.000Z', 1);

INSERT INTO refusals (source, day, cause, count, last_at, last_remote_addr) VALUES
  ('game', '2026-11-22', 'wrong_signature', 1, '2026-11-22T06:09:56.162Z', '127.0.0.1'),
  ('keys', '2026-11-20', 'missing_secret', 40, '2026-11-20T12:00:00.000Z', NULL),
  ('keys', '2026-11-22', 'wrong_secret', 1, '2026-11-22T06:09:56.072Z', '127.0.0.1'),
  ('oldkeys', '2026-11-22', 'wrong_path_token', 1, '2026-11-22T06:09:56.042Z', '127.0.0.1'),
  ('oldshop', '2026-11-22', 'wrong_path_token', 1, '2026-11-22T06:09:55.886Z', '127.0.0.1'),
  ('shop', '2026-11-20', 'test_call', 2, '2026-11-20T11:00:00.000Z', '198.51.100.1'),
  ('shop', '2026-11-22', 'wrong_signature', 1, '2026-11-22T06:09:56.018Z', '127.0.0.1');

INSERT INTO outages (source, call_kind, cause, detail, since, failures, resume_at) VALUES
  ('keys', '', 'api_denied', 'HTTP 401', '2026-11-22T04:00:00.000Z', 3, '2026-11-22T05:30:00.000Z'),
  ('shop', 'products', 'api_denied', 'INSUFFICIENT_APP_SCOPE', '2026-11-22T04:10:00.000Z', 1, '2026-11-22T05:30:00.000Z');

INSERT INTO probes (source, call_kind, at) VALUES
  ('branch', '', '2026-11-22T06:09:56.180Z'),
  ('keys', '', '2026-11-22T04:05:00.000Z'),
  ('keys', '', '2026-11-22T04:20:00.000Z');

INSERT INTO api_calls (id, source, owner, counts_until) VALUES
  (64, 'oldshop', 'serve-1', 1795327798336),
  (65, 'oldshop', 'serve-1', 1795327798358),
  (66, 'oldshop', 'serve-1', 1795327798354),
  (67, 'keys', 'serve-1', 1795327798377),
  (68, 'game', 'serve-1', 1795327798482),
  (69, 'oldkeys', 'serve-1', 1795327798583),
  (70, 'oldkeys', 'serve-1', 1795327798669),
  (71, 'oldkeys', 'serve-1', 1795327798669),
  (72, 'shop', 'serve-1', 1795327798670),
  (73, 'game', 'serve-1', 1795327798677),
  (74, 'shop', 'serve-1', 1795327798680),
  (75, 'keys', 'serve-1', 1795327798681),
  (76, 'keys', 'serve-1', 1795327798680),
  (77, 'shop', 'serve-1', 1795327798815),
  (78, 'game', 'serve-1', 1795327798822),
  (79, 'keys', 'serve-1', 1795327798825),
  (80, 'shop', 'serve-1', 1795327798922),
  (81, 'shop', 'serve-1', 1795327798923),
  (82, 'shop', 'serve-1', 1795327798927),
  (83, 'oldkeys', 'serve-1', 1795327798990),
  (84, 'oldkeys', 'serve-1', 1795327799051),
  (85, 'oldkeys', 'serve-1', 1795327799059),
  (86, 'oldkeys', 'serve-1', 1795327799051),
  (87, 'keys', 'serve-1', 1795327799075),
  (88, 'keys', 'serve-1', 1795327799075),
  (89, 'keys', 'serve-1', 1795327799075),
  (90, 'game', 'serve-1', 1795327799122),
  (91, 'game', 'serve-1', 1795327799218);

INSERT INTO last_confirmed (source, subject_kind, subject_id, compared, notification_id, confirmed_at) VALUES
  ('branch', 'order', 'BRANCH-7QK2', '{"id":"BRANCH-7QK2","internalId":"731300001","paymentStatus":"PAID","fulfillmentStatus":"AWAITING_PROCESSING"}', 33, '2026-11-22T06:09:56.415Z'),
  ('game', 'order', 'shop-order-9', '{"transaction":{"external_id":"shop-order-9","id":"TX-555","project":{"id":"pr-77"},"status":"Completed"},"user":{"id":"player-42"},"payment_details":{"payment":{"amount":"8.98","currency":"EUR"}}}', 26, '2026-11-22T06:09:56.168Z'),
  ('keys', 'order', 'QZ7T2RMN4WB', '{"orderId":"QZ7T2RMN4WB","orderExternalId":"shop-000451","status":"completed"}', 19, '2026-11-22T06:09:56.056Z'),
  ('keys', 'product', '70123', '{"kinguinId":"70123","productId":"5f00aa11bb22cc33dd44ee55","updatedAt":"2026-11-22T06:09:54.000Z","price":"6.2","qty":31,"available":true}', 20, '2026-11-22T06:09:56.056Z'),
  ('oldkeys', 'order', 'QZ7T2RMN4WB', '{"orderId":"QZ7T2RMN4WB","orderExternalId":"shop-000451","status":"completed"}', 13, '2026-11-22T06:09:56.038Z'),
  ('oldshop', 'order', '1207', '{"id":"1207","internalId":"41207","paymentStatus":"PAID","fulfillmentStatus":"AWAITING_PROCESSING"}', 1, '2026-11-22T06:09:55.692Z'),
  ('shop', 'order', 'SALE-H4K9P', '{"id":"SALE-H4K9P","internalId":"731200456","paymentStatus":"PAID","fulfillmentStatus":"AWAITING_PROCESSING"}', 7, '2026-11-22T06:09:56.014Z'),
  ('shop', 'order', 'SALE-N3W1X', '{"id":"SALE-N3W1X","internalId":"731200460","paymentStatus":"AWAITING_PAYMENT","fulfillmentStatus":"AWAITING_PROCESSING"}', 32, '2026-11-22T06:09:56.442Z');

INSERT INTO reconciliations (source, from_at, to_at, completed_at) VALUES
  ('shop', '2026-11-20T00:00:00.000Z', '2026-11-21T00:00:00.000Z', '2026-11-21T06:15:00.000Z');

INSERT INTO hour_index (hour, first_id) VALUES
  ('2026-11-20T00', 1009),
  ('2026-11-20T03', 1003),
  ('2026-11-20T06', 1006),
  ('2026-11-21T01', 1001),
  ('2026-11-21T04', 1004),
  ('2026-11-21T07', 1007),
  ('2026-11-22T02', 1002),
  ('2026-11-22T05', 1005),
  ('2026-11-22T06', 1),
  ('2026-11-22T08', 1008);

INSERT INTO write_check (id, at) VALUES
  (1, '2026-11-22T05:00:00.000Z');

DELETE FROM senders;

INSERT INTO senders (sender, kept, weight) VALUES
  ('', 2, 8192),
  ('127.0.0.1', 31, 9234),
  ('203.0.113.1', 1, 8192),
  ('203.0.113.10', 1, 8192),
  ('203.0.113.11', 1, 8192),
  ('203.0.113.12', 1, 8192),
  ('203.0.113.13', 1, 8192),
  ('203.0.113.14', 1, 8192),
  ('203.0.113.15', 1, 8192),
  ('203.0.113.16', 1, 8192),
  ('203.0.113.17', 1, 8192),
  ('203.0.113.2', 1, 8192),
  ('203.0.113.3', 1, 8192),
  ('203.0.113.5', 1, 8192),
  ('203.0.113.6', 1, 8192),
  ('203.0.113.7', 1, 8192),
  ('203.0.113.8', 1, 8192),
  ('203.0.113.9', 1, 8192);

DELETE FROM daily_counts;

INSERT INTO daily_counts (day, source, state, reason, n) VALUES
  ('2026-11-20', 'game', 'ignored', 'dismissed', 1),
  ('2026-11-20', 'game', 'pending', '', 1),
  ('2026-11-20', 'oldkeys', 'ignored', 'superseded', 1),
  ('2026-11-20', 'oldkeys', 'undecided', 'api_rate_limited', 1),
  ('2026-11-20', 'shop', 'pending', '', 1),
  ('2026-11-21', 'keys', 'ignored', 'unavailable', 1),
  ('2026-11-21', 'keys', 'undecided', 'api_error', 1),
  ('2026-11-21', 'oldkeys', 'pending', '', 1),
  ('2026-11-21', 'oldshop', 'undecided', 'api_unreachable', 1),
  ('2026-11-21', 'shop', 'confirmed', 'unavailable', 1),
  ('2026-11-21', 'shop', 'pending', '', 1),
  ('2026-11-22', 'branch', 'confirmed', 'match', 1),
  ('2026-11-22', 'branch', 'pending', '', 0),
  ('2026-11-22', 'game', 'confirmed', 'match', 1),
  ('2026-11-22', 'game', 'ignored', 'duplicate', 1),
  ('2026-11-22', 'game', 'ignored', 'malformed', 1),
  ('2026-11-22', 'game', 'ignored', 'mismatch', 1),
  ('2026-11-22', 'game', 'ignored', 'not_found', 1),
  ('2026-11-22', 'game', 'ignored', 'wrong_store', 1),
  ('2026-11-22', 'game', 'pending', '', 0),
  ('2026-11-22', 'keys', 'confirmed', 'match', 2),
  ('2026-11-22', 'keys', 'ignored', 'duplicate', 1),
  ('2026-11-22', 'keys', 'ignored', 'malformed', 1),
  ('2026-11-22', 'keys', 'ignored', 'mismatch', 1),
  ('2026-11-22', 'keys', 'ignored', 'not_found', 2),
  ('2026-11-22', 'keys', 'ignored', 'unsupported', 1),
  ('2026-11-22', 'keys', 'pending', '', 1),
  ('2026-11-22', 'keys', 'undecided', 'not_yet', 1),
  ('2026-11-22', 'oldkeys', 'confirmed', 'deleted', 1),
  ('2026-11-22', 'oldkeys', 'confirmed', 'match', 1),
  ('2026-11-22', 'oldkeys', 'ignored', 'duplicate', 1),
  ('2026-11-22', 'oldkeys', 'ignored', 'malformed', 1),
  ('2026-11-22', 'oldkeys', 'ignored', 'mismatch', 1),
  ('2026-11-22', 'oldkeys', 'ignored', 'not_found', 2),
  ('2026-11-22', 'oldkeys', 'pending', '', 0),
  ('2026-11-22', 'oldshop', 'confirmed', 'match', 1),
  ('2026-11-22', 'oldshop', 'ignored', 'duplicate', 1),
  ('2026-11-22', 'oldshop', 'ignored', 'malformed', 1),
  ('2026-11-22', 'oldshop', 'ignored', 'mismatch', 1),
  ('2026-11-22', 'oldshop', 'ignored', 'not_found', 1),
  ('2026-11-22', 'oldshop', 'ignored', 'wrong_store', 1),
  ('2026-11-22', 'oldshop', 'pending', '', 1),
  ('2026-11-22', 'shop', 'confirmed', 'match', 3),
  ('2026-11-22', 'shop', 'ignored', 'duplicate', 1),
  ('2026-11-22', 'shop', 'ignored', 'malformed', 1),
  ('2026-11-22', 'shop', 'ignored', 'mismatch', 1),
  ('2026-11-22', 'shop', 'ignored', 'not_found', 1),
  ('2026-11-22', 'shop', 'ignored', 'wrong_store', 1),
  ('2026-11-22', 'shop', 'pending', '', 0),
  ('2026-11-22', 'shop', 'undecided', 'api_denied', 1);

DELETE FROM fair_queue;

INSERT INTO fair_queue (source, queue, call_kind, sender, due_at) VALUES
  ('game', 1, 'transactions', '203.0.113.12', '2026-12-01T00:00:00.000Z'),
  ('keys', 2, 'orders', '203.0.113.17', '2026-12-01T00:00:00.000Z'),
  ('oldkeys', 2, 'orders', '203.0.113.16', '2026-12-01T00:00:00.000Z'),
  ('oldshop', 2, 'orders', '203.0.113.14', '2026-12-01T00:00:00.000Z'),
  ('shop', 2, 'orders', '203.0.113.13', '2026-12-01T00:00:00.000Z'),
  ('shop', 2, 'orders', '203.0.113.15', '2026-12-01T00:00:00.000Z');

DELETE FROM fair_queue_clock;

INSERT INTO fair_queue_clock (source, queue, call_kind, virtual_time) VALUES
  ('branch', 0, 'orders', 1724),
  ('game', 1, 'transactions', 3744),
  ('game', 2, 'transactions', 24482),
  ('keys', 0, 'products', 2520),
  ('keys', 1, 'orders', 8136),
  ('keys', 2, 'orders', 31655),
  ('oldkeys', 1, 'orders', 11280),
  ('oldkeys', 2, 'orders', 29967),
  ('oldshop', 0, 'orders', 16930),
  ('oldshop', 2, 'orders', 12678),
  ('shop', 0, 'orders', 12333),
  ('shop', 2, 'orders', 18672);

DELETE FROM fair_queue_networks;

UPDATE sqlite_sequence SET seq = 1101 WHERE name = 'intake';

UPDATE sqlite_sequence SET seq = 91 WHERE name = 'api_calls';

UPDATE sqlite_sequence SET seq = 91 WHERE name = 'verifications';

COMMIT;
