BEGIN TRANSACTION;
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('v3.2.0.a');
CREATE TABLE studies (
	study_id INTEGER NOT NULL, 
	study_name VARCHAR(512) NOT NULL, 
	PRIMARY KEY (study_id)
);
INSERT INTO "studies" VALUES(1,'lr search');
INSERT INTO "studies" VALUES(2,'trade/off');
CREATE TABLE study_directions (
	study_direction_id INTEGER NOT NULL, 
	direction VARCHAR(8) NOT NULL, 
	study_id INTEGER NOT NULL, 
	objective INTEGER NOT NULL, 
	PRIMARY KEY (study_direction_id), 
	UNIQUE (study_id, objective), 
	FOREIGN KEY(study_id) REFERENCES studies (study_id)
);
INSERT INTO "study_directions" VALUES(1,'MAXIMIZE',1,0);
INSERT INTO "study_directions" VALUES(2,'MINIMIZE',2,0);
INSERT INTO "study_directions" VALUES(3,'MAXIMIZE',2,1);
CREATE TABLE study_system_attributes (
	study_system_attribute_id INTEGER NOT NULL, 
	study_id INTEGER, 
	"key" VARCHAR(512), 
	value_json TEXT, 
	PRIMARY KEY (study_system_attribute_id), 
	UNIQUE (study_id, "key"), 
	FOREIGN KEY(study_id) REFERENCES studies (study_id)
);
CREATE TABLE study_user_attributes (
	study_user_attribute_id INTEGER NOT NULL, 
	study_id INTEGER, 
	"key" VARCHAR(512), 
	value_json TEXT, 
	PRIMARY KEY (study_user_attribute_id), 
	UNIQUE (study_id, "key"), 
	FOREIGN KEY(study_id) REFERENCES studies (study_id)
);
CREATE TABLE trial_heartbeats (
	trial_heartbeat_id INTEGER NOT NULL, 
	trial_id INTEGER NOT NULL, 
	heartbeat DATETIME NOT NULL, 
	PRIMARY KEY (trial_heartbeat_id), 
	UNIQUE (trial_id), 
	FOREIGN KEY(trial_id) REFERENCES trials (trial_id)
);
CREATE TABLE trial_intermediate_values (
	trial_intermediate_value_id INTEGER NOT NULL, 
	trial_id INTEGER NOT NULL, 
	step INTEGER NOT NULL, 
	intermediate_value FLOAT, 
	intermediate_value_type VARCHAR(7) NOT NULL, 
	PRIMARY KEY (trial_intermediate_value_id), 
	UNIQUE (trial_id, step), 
	FOREIGN KEY(trial_id) REFERENCES trials (trial_id)
);
INSERT INTO "trial_intermediate_values" VALUES(1,2,0,0.5,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(2,2,10,NULL,'NAN');
INSERT INTO "trial_intermediate_values" VALUES(3,2,20,0.25,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(4,3,0,0.5,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(5,3,10,NULL,'NAN');
INSERT INTO "trial_intermediate_values" VALUES(6,3,20,0.25,'FINITE');
INSERT INTO "trial_intermediate_values" VALUES(7,7,3,1.25,'FINITE');
CREATE TABLE trial_params (
	param_id INTEGER NOT NULL, 
	trial_id INTEGER, 
	param_name VARCHAR(512), 
	param_value FLOAT, 
	distribution_json TEXT, 
	PRIMARY KEY (param_id), 
	UNIQUE (trial_id, param_name), 
	FOREIGN KEY(trial_id) REFERENCES trials (trial_id)
);
INSERT INTO "trial_params" VALUES(1,1,'lr',4.65680463791956554368e-04,'{"name": "FloatDistribution", "attributes": {"step": null, "low": 1e-05, "high": 0.1, "log": true}}');
INSERT INTO "trial_params" VALUES(2,1,'layers',6.0,'{"name": "IntDistribution", "attributes": {"log": false, "step": 1, "low": 1, "high": 8}}');
INSERT INTO "trial_params" VALUES(3,1,'optimizer',1.0,'{"name": "CategoricalDistribution", "attributes": {"choices": ["adam", "sgd", null]}}');
INSERT INTO "trial_params" VALUES(4,1,'batch',2.0,'{"name": "CategoricalDistribution", "attributes": {"choices": [16, 32, 64]}}');
INSERT INTO "trial_params" VALUES(5,1,'amp',1.0,'{"name": "CategoricalDistribution", "attributes": {"choices": [true, false]}}');
INSERT INTO "trial_params" VALUES(6,2,'lr',4.75092372103061129709e-04,'{"name": "FloatDistribution", "attributes": {"step": null, "low": 1e-05, "high": 0.1, "log": true}}');
INSERT INTO "trial_params" VALUES(7,2,'layers',6.0,'{"name": "IntDistribution", "attributes": {"log": false, "step": 1, "low": 1, "high": 8}}');
INSERT INTO "trial_params" VALUES(8,2,'optimizer',1.0,'{"name": "CategoricalDistribution", "attributes": {"choices": ["adam", "sgd", null]}}');
INSERT INTO "trial_params" VALUES(9,2,'batch',0.0,'{"name": "CategoricalDistribution", "attributes": {"choices": [16, 32, 64]}}');
INSERT INTO "trial_params" VALUES(10,2,'amp',1.0,'{"name": "CategoricalDistribution", "attributes": {"choices": [true, false]}}');
INSERT INTO "trial_params" VALUES(11,3,'lr',1.59579931642129663194e-02,'{"name": "FloatDistribution", "attributes": {"step": null, "low": 1e-05, "high": 0.1, "log": true}}');
INSERT INTO "trial_params" VALUES(12,3,'layers',8.0,'{"name": "IntDistribution", "attributes": {"log": false, "step": 1, "low": 1, "high": 8}}');
INSERT INTO "trial_params" VALUES(13,3,'optimizer',2.0,'{"name": "CategoricalDistribution", "attributes": {"choices": ["adam", "sgd", null]}}');
INSERT INTO "trial_params" VALUES(14,3,'batch',0.0,'{"name": "CategoricalDistribution", "attributes": {"choices": [16, 32, 64]}}');
INSERT INTO "trial_params" VALUES(15,3,'amp',1.0,'{"name": "CategoricalDistribution", "attributes": {"choices": [true, false]}}');
INSERT INTO "trial_params" VALUES(16,4,'lr',2.47392959130401802049e-05,'{"name": "FloatDistribution", "attributes": {"step": null, "low": 1e-05, "high": 0.1, "log": true}}');
INSERT INTO "trial_params" VALUES(17,4,'layers',4.0,'{"name": "IntDistribution", "attributes": {"log": false, "step": 1, "low": 1, "high": 8}}');
INSERT INTO "trial_params" VALUES(18,4,'optimizer',0.0,'{"name": "CategoricalDistribution", "attributes": {"choices": ["adam", "sgd", null]}}');
INSERT INTO "trial_params" VALUES(19,4,'batch',2.0,'{"name": "CategoricalDistribution", "attributes": {"choices": [16, 32, 64]}}');
INSERT INTO "trial_params" VALUES(20,4,'amp',1.0,'{"name": "CategoricalDistribution", "attributes": {"choices": [true, false]}}');
INSERT INTO "trial_params" VALUES(21,5,'lr',0.0902494067192741,'{"name": "FloatDistribution", "attributes": {"step": null, "low": 1e-05, "high": 0.1, "log": true}}');
INSERT INTO "trial_params" VALUES(22,5,'layers',6.0,'{"name": "IntDistribution", "attributes": {"log": false, "step": 1, "low": 1, "high": 8}}');
INSERT INTO "trial_params" VALUES(23,5,'optimizer',1.0,'{"name": "CategoricalDistribution", "attributes": {"choices": ["adam", "sgd", null]}}');
INSERT INTO "trial_params" VALUES(24,5,'batch',1.0,'{"name": "CategoricalDistribution", "attributes": {"choices": [16, 32, 64]}}');
INSERT INTO "trial_params" VALUES(25,5,'amp',0.0,'{"name": "CategoricalDistribution", "attributes": {"choices": [true, false]}}');
INSERT INTO "trial_params" VALUES(26,7,'lr',0.01,'{"name": "FloatDistribution", "attributes": {"step": null, "low": 1e-05, "high": 0.1, "log": true}}');
INSERT INTO "trial_params" VALUES(27,7,'optimizer',1.0,'{"name": "CategoricalDistribution", "attributes": {"choices": ["adam", "sgd", null]}}');
INSERT INTO "trial_params" VALUES(28,11,'width',37.0,'{"name": "IntDistribution", "attributes": {"log": false, "step": 1, "low": 1, "high": 100}}');
INSERT INTO "trial_params" VALUES(29,12,'width',83.0,'{"name": "IntDistribution", "attributes": {"log": false, "step": 1, "low": 1, "high": 100}}');
INSERT INTO "trial_params" VALUES(30,13,'width',96.0,'{"name": "IntDistribution", "attributes": {"log": false, "step": 1, "low": 1, "high": 100}}');
CREATE TABLE trial_system_attributes (
	trial_system_attribute_id INTEGER NOT NULL, 
	trial_id INTEGER, 
	"key" VARCHAR(512), 
	value_json TEXT, 
	PRIMARY KEY (trial_system_attribute_id), 
	UNIQUE (trial_id, "key"), 
	FOREIGN KEY(trial_id) REFERENCES trials (trial_id)
);
INSERT INTO "trial_system_attributes" VALUES(1,10,'fixed_params','{"lr": 0.05}');
CREATE TABLE trial_user_attributes (
	trial_user_attribute_id INTEGER NOT NULL, 
	trial_id INTEGER, 
	"key" VARCHAR(512), 
	value_json TEXT, 
	PRIMARY KEY (trial_user_attribute_id), 
	UNIQUE (trial_id, "key"), 
	FOREIGN KEY(trial_id) REFERENCES trials (trial_id)
);
CREATE TABLE trial_values (
	trial_value_id INTEGER NOT NULL, 
	trial_id INTEGER NOT NULL, 
	objective INTEGER NOT NULL, 
	value FLOAT, 
	value_type VARCHAR(7) NOT NULL, 
	PRIMARY KEY (trial_value_id), 
	UNIQUE (trial_id, objective), 
	FOREIGN KEY(trial_id) REFERENCES trials (trial_id)
);
INSERT INTO "trial_values" VALUES(1,4,0,0.25,'FINITE');
INSERT INTO "trial_values" VALUES(2,1,0,0.75,'FINITE');
INSERT INTO "trial_values" VALUES(3,3,0,0.25,'FINITE');
INSERT INTO "trial_values" VALUES(4,2,0,0.5,'FINITE');
INSERT INTO "trial_values" VALUES(5,7,0,1.5,'FINITE');
INSERT INTO "trial_values" VALUES(6,8,0,NULL,'INF_POS');
INSERT INTO "trial_values" VALUES(7,11,0,0.0,'FINITE');
INSERT INTO "trial_values" VALUES(8,11,1,0.0,'FINITE');
INSERT INTO "trial_values" VALUES(9,12,0,1.0,'FINITE');
INSERT INTO "trial_values" VALUES(10,12,1,-1.0,'FINITE');
INSERT INTO "trial_values" VALUES(11,13,0,2.0,'FINITE');
INSERT INTO "trial_values" VALUES(12,13,1,-2.0,'FINITE');
CREATE TABLE trials (
	trial_id INTEGER NOT NULL, 
	number INTEGER, 
	study_id INTEGER, 
	state VARCHAR(8) NOT NULL, 
	datetime_start DATETIME, 
	datetime_complete DATETIME, 
	PRIMARY KEY (trial_id), 
	FOREIGN KEY(study_id) REFERENCES studies (study_id)
);
INSERT INTO "trials" VALUES(1,0,1,'COMPLETE','2026-11-21 18:20:05.652809','2026-11-21 18:20:06.637204');
INSERT INTO "trials" VALUES(2,1,1,'COMPLETE','2026-11-21 18:20:05.711833','2026-11-21 18:20:06.774548');
INSERT INTO "trials" VALUES(3,2,1,'PRUNED','2026-11-21 18:20:05.752601','2026-11-21 18:20:06.678168');
INSERT INTO "trials" VALUES(4,3,1,'COMPLETE','2026-11-21 18:20:05.790339','2026-11-21 18:20:06.591889');
INSERT INTO "trials" VALUES(5,4,1,'FAIL','2026-11-21 18:20:05.831259','2026-11-21 18:20:06.722179');
INSERT INTO "trials" VALUES(6,5,1,'PRUNED','2026-11-21 18:20:06.824591','2026-11-21 18:20:06.866480');
INSERT INTO "trials" VALUES(7,6,1,'COMPLETE','2026-11-21 18:20:06.891192','2026-11-21 18:20:06.891192');
INSERT INTO "trials" VALUES(8,7,1,'COMPLETE','2026-11-21 18:20:06.951162','2026-11-21 18:20:06.985060');
INSERT INTO "trials" VALUES(9,8,1,'RUNNING','2026-11-21 18:20:07.006347',NULL);
INSERT INTO "trials" VALUES(10,9,1,'WAITING',NULL,NULL);
INSERT INTO "trials" VALUES(11,0,2,'COMPLETE','2026-11-21 18:20:07.071165','2026-11-21 18:20:07.116188');
INSERT INTO "trials" VALUES(12,1,2,'COMPLETE','2026-11-21 18:20:07.142287','2026-11-21 18:20:07.182566');
INSERT INTO "trials" VALUES(13,2,2,'COMPLETE','2026-11-21 18:20:07.205745','2026-11-21 18:20:07.246371');
CREATE TABLE version_info (
	version_info_id INTEGER NOT NULL, 
	schema_version INTEGER, 
	library_version VARCHAR(256), 
	PRIMARY KEY (version_info_id), 
	CHECK (version_info_id=1)
);
INSERT INTO "version_info" VALUES(1,12,'5.0.0');
CREATE UNIQUE INDEX ix_studies_study_name ON studies (study_name);
CREATE INDEX ix_trials_study_id ON trials (study_id);
COMMIT;
